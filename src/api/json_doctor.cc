#include "api/doctor.h"
#include "api/json_io.h"

namespace asbb::api {

template <typename F>
void fields(F& f, As<F, DoctorCheck>& v) {
  f.text("name", v.name, Need::must);
  f.word("status", v.status, Need::must, {"ok", "warning", "failed"});
  f.text("found", v.found, Need::must);
  f.text("cure", v.cure, Need::left_out);
}

template <typename F>
void fields(F& f, As<F, DoctorAnswer>& v) {
  f.list("checks", v.checks, Need::must);
}

}  // namespace asbb::api

ASBB_JSON_TYPE(asbb::api::DoctorAnswer)
