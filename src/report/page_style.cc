#include "report/page_style.h"

namespace asbb::report {

namespace {

// Colours were chosen for a contrast of 4.5 to 1 for text and 3 to 1 for marks on both grounds.
constexpr std::string_view style = R"css(
:root{color-scheme:light dark;--ground:#f4f5f7;--card:#fff;--ink:#1b2430;--soft:#566173;
--rule:#dde1e7;--grid:#e8ebf0;--a:#1f6fb2;--b:#b4570b;--c:#0f7b5f;--d:#7448b8;--warn:#8a4b00;
--warnground:#fff6e6;--warnrule:#e9c88f}
@media (prefers-color-scheme:dark){:root{--ground:#12161c;--card:#1b212a;--ink:#e8ecf2;
--soft:#a3aebd;--rule:#323b48;--grid:#2a323d;--a:#6cb1ee;--b:#f0a052;--c:#4fc9a2;--d:#b898f0;
--warn:#f3c277;--warnground:#2b2415;--warnrule:#5f4c22}}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--ink);
font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","DejaVu Sans",sans-serif;
font-variant-numeric:tabular-nums}
main{max-width:980px;margin:0 auto;padding:32px 20px 56px}
header{display:flex;flex-wrap:wrap;gap:4px 24px;align-items:end;justify-content:space-between;
margin-bottom:20px}
.kicker{margin:0;color:var(--soft);font-size:12px;letter-spacing:.09em;text-transform:uppercase}
h1{margin:0;font-size:30px;line-height:1.2;letter-spacing:-.01em;overflow-wrap:anywhere}
.sub,.when{margin:2px 0 0;color:var(--soft)}
.when{text-align:right}.when b{color:var(--ink);font-weight:600}
h2{margin:36px 0 12px;font-size:19px;line-height:1.3}
section>p{margin:0 0 12px;color:var(--soft);max-width:72ch}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(210px,1fr));gap:14px}
.tile,figure,.table{background:var(--card);border:1px solid var(--rule);border-radius:10px}
.tile{padding:14px 16px 13px;border-top:4px solid var(--rule)}
.tile.a{border-top-color:var(--a)}.tile.b{border-top-color:var(--b)}
.tile.c{border-top-color:var(--c)}.tile.d{border-top-color:var(--d)}
.tile h3{margin:0;font-size:13px;font-weight:600;color:var(--soft)}
.tile .big{margin:2px 0 0;color:var(--ink);font-size:27px;font-weight:650;line-height:1.25;
letter-spacing:-.01em;overflow-wrap:anywhere}
.tile data,.tile small{white-space:nowrap}
.tile .big small{display:block;font-size:14px;font-weight:500;line-height:1.3;color:var(--soft);
letter-spacing:0}
.tile p{margin:5px 0 0;font-size:13px;color:var(--soft)}
.meter{display:block;width:100%;height:8px;margin-top:10px;border-radius:4px;overflow:hidden;
background:var(--grid)}
figure{margin:0 0 14px;padding:14px 16px 12px;break-inside:avoid}
figcaption{font-weight:600;margin-bottom:6px}
figcaption span{font-weight:400;color:var(--soft)}
svg{display:block;width:100%;height:auto;font-family:inherit}
svg text{fill:var(--ink);font-size:12px}
svg .tick{fill:var(--soft);font-size:11px}svg .value{font-weight:600}
svg .grid{stroke:var(--grid);stroke-width:1}svg .axis{stroke:var(--soft);stroke-width:1}
svg .bar.a,svg .dot.a,svg .part.a{fill:var(--a)}svg .bar.b,svg .dot.b,svg .part.b{fill:var(--b)}
svg .bar.c,svg .dot.c,svg .part.c{fill:var(--c)}svg .bar.d,svg .dot.d,svg .part.d{fill:var(--d)}
svg .part.held{fill-opacity:.45}
svg .curve,svg .ahead{fill:none;stroke-width:2.2;stroke-linejoin:round}
svg .ahead{stroke-dasharray:2 4;stroke-linecap:round}
svg .curve.a,svg .ahead.a{stroke:var(--a)}svg .curve.b,svg .ahead.b{stroke:var(--b)}
svg .curve.c,svg .ahead.c{stroke:var(--c)}svg .curve.d,svg .ahead.d{stroke:var(--d)}
svg .area{fill-opacity:.13}svg .area.a{fill:var(--a)}svg .area.b{fill:var(--b)}
svg .area.c{fill:var(--c)}svg .area.d{fill:var(--d)}
svg .even{stroke:var(--soft);stroke-width:1.4;stroke-dasharray:7 5}
.key{display:flex;flex-wrap:wrap;gap:2px 20px;margin:2px 0 0;font-size:13px;color:var(--soft)}
.key svg{display:inline-block;width:30px;height:10px;margin-right:6px;vertical-align:0}
details{margin-top:8px;font-size:13px}
summary{cursor:pointer;color:var(--soft);width:max-content}
summary:focus-visible{outline:2px solid var(--a);outline-offset:2px}
.table{overflow-x:auto;margin-bottom:14px}
table{border-collapse:collapse;width:100%}
caption{text-align:left;font-weight:600;padding:12px 16px 4px}
th,td{padding:6px 16px;text-align:right;white-space:nowrap;border-top:1px solid var(--rule)}
thead th{border-top:0;color:var(--soft);font-size:12.5px;font-weight:600;vertical-align:bottom}
th:first-child,td.text,th.text{text-align:left;white-space:normal;overflow-wrap:break-word}
th:first-child{min-width:6.5em;max-width:22em}
tbody th{font-weight:500}tfoot th,tfoot td{font-weight:650;border-top:2px solid var(--rule)}
details table{margin-top:6px}details td,details th{padding:3px 10px}
.bad{color:var(--warn);font-weight:600}
.note{background:var(--warnground);border:1px solid var(--warnrule);border-radius:10px;
padding:12px 16px;margin:0 0 14px;color:var(--ink)}
.note p{margin:0 0 6px}.note p:last-child{margin:0}
.empty{background:var(--card);border:1px dashed var(--rule);border-radius:10px;padding:28px 20px;
text-align:center}
footer{margin-top:36px;padding-top:14px;border-top:1px solid var(--rule);color:var(--soft);
font-size:13px}
footer dl{display:grid;grid-template-columns:max-content 1fr;gap:3px 16px;margin:0 0 12px}
footer dt{font-weight:600;color:var(--ink)}footer dd{margin:0}
@media (max-width:560px){main{padding:20px 12px 40px}h1{font-size:25px}.when{text-align:left}
th,td{padding:6px 10px}footer dl{grid-template-columns:1fr}footer dd{margin-bottom:5px}}
@media screen and (max-width:720px){figure{overflow-x:auto}figure>svg{min-width:640px}}
@page{size:A4;margin:15mm 13mm}
@media print{:root{--ground:#fff;--card:#fff;--ink:#111;--soft:#454c57;--rule:#c9ced6;
--grid:#e3e6eb;--a:#1f6fb2;--b:#b4570b;--c:#0f7b5f;--d:#7448b8;--warn:#7a4200;--warnground:#fff;
--warnrule:#b98a3c;color-scheme:light}
*{print-color-adjust:exact;-webkit-print-color-adjust:exact}
body{font-size:10pt}main{max-width:none;padding:0}h1{font-size:20pt}
h2{margin:18pt 0 6pt;font-size:13pt;break-after:avoid}
.tile,.note,tr{break-inside:avoid}.tile .big{font-size:15pt}section>p{break-after:avoid}
.tiles{gap:7pt;grid-template-columns:repeat(auto-fit,minmax(150px,1fr))}
.tile{padding:9pt 10pt}.tile .big small{font-size:9pt}
figure{padding:9pt 12pt 8pt}figure>svg{max-width:86%;margin:0 auto}
thead{display:table-header-group}tfoot{display:table-row-group}
.table{overflow:visible}.table table{font-size:9pt}th,td{padding:2.5pt 5pt}
th:first-child,td.text,th.text{overflow-wrap:anywhere}
details{font-size:8.5pt}details:not([open])>*{display:none}}
)css";

}  // namespace

std::string_view page_style() {
  return style;
}

}  // namespace asbb::report
