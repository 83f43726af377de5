#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <ostream>
#include <streambuf>

#include "cli/testing/run.h"
#include "store/chain.h"

namespace asbb::cli {
namespace {

namespace fs = std::filesystem;
using testing::CannedService;
using ::testing::HasSubstr;
using testing::run;

void write_file(const std::string& path, const std::string& text) {
  std::ofstream(path) << text;
}

TEST(ConfigCommand, InitsValidatesAndShows) {
  const CannedService folder;
  const std::string path = folder.folder() + "/config.yaml";
  EXPECT_EQ(run({"config", "init", path}).code, exit_done);
  const auto fine = run({"config", "validate", path});
  EXPECT_EQ(fine.code, exit_done) << fine.err;
  EXPECT_EQ(fine.out, path + " is right.\n");
  EXPECT_EQ(run({"config", "init", path}).code, exit_failed);
  EXPECT_THAT(run({"config", "init", path}).err, HasSubstr("is left as it is"));
  EXPECT_EQ(run({"config", "init", "-"}).out, config::default_config_text());
  EXPECT_EQ(run({"config", "show", "-c", path}).out, config::show_config(config::Config{}));
  // Programs got YAML.
  EXPECT_THAT(run({"config", "show", "-c", path, "--output=json"}).out,
              HasSubstr(R"("service.socket":"/run/asbb/asbb.sock")"));
  const auto csv = run({"config", "show", "--output=csv"}, {{"ASBB_SERVICE_WORKERS", "5"}}).out;
  EXPECT_THAT(csv, HasSubstr("setting,value\r\n"));
  EXPECT_THAT(csv, HasSubstr("service.workers,5\r\n"));
}

TEST(ConfigCommand, ValidateSaysEverythingAtOnce) {
  const CannedService folder;
  const std::string path = folder.folder() + "/config.yaml";
  write_file(path, "service:\n  worker: 1\n  anonymous_budget_routes: loud\n");
  const auto ran = run({"config", "validate", path});
  EXPECT_EQ(ran.code, exit_failed);
  EXPECT_EQ(ran.out, "");
  EXPECT_THAT(ran.err, HasSubstr(path + ":2: service.worker: there is no such setting"));
  EXPECT_THAT(ran.err,
              HasSubstr(path + ":3: service.anonymous_budget_routes: 'loud' is not allowed"));
  EXPECT_THAT(run({"config", "validate", path, "--output=json"}).out,
              HasSubstr(R"({"ok":false,"problems":[")"));
  const auto asked = run({"account", "list", "--config", path});
  EXPECT_EQ(asked.code, exit_failed);
  EXPECT_THAT(asked.err, HasSubstr("'asbb config validate' shows all problems"));
}

TEST(ConfigCommand, TheSocketOfTheSettingsIsAsked) {
  CannedService service;
  service.answer("GET /api/v1/accounts", 200, "[]").start();
  const std::string path = service.folder() + "/config.yaml";
  write_file(path, "service: {socket: " + service.socket() + "}\n");
  EXPECT_EQ(run({"account", "list", "-c", path}).code, exit_done);
  EXPECT_EQ(run({"account", "list"}, {{"ASBB_SERVICE_SOCKET", service.socket()}}).code, exit_done);
}

TEST(DatabaseCommand, MakesTheDatabaseAndItsKeyOnce) {
  const CannedService folder;
  const std::string config = folder.folder() + "/config.yaml";
  const std::string database = folder.folder() + "/asbb.db";
  const std::string key = folder.folder() + "/chain.key";
  write_file(config, "database: {dsn: " + database + ", chain_key_file: " + key + "}\n");
  const auto words = [&](const std::string& line) {
    auto out = testing::split(line);
    out.push_back("--config=" + config);
    return out;
  };
  const auto dry = run(words("database migrate --dry-run"));
  EXPECT_EQ(dry.code, exit_done) << dry.err;
  EXPECT_THAT(dry.out, HasSubstr("Would make the chain key " + key));
  EXPECT_FALSE(fs::exists(database) || fs::exists(key));

  const auto made = run(words("database migrate"));
  EXPECT_EQ(made.code, exit_done) << made.err;
  EXPECT_THAT(made.out, HasSubstr(database + " is now at version "));
  EXPECT_TRUE(fs::exists(database));
  const auto first_key = store::read_chain_key(key);
  ASSERT_TRUE(first_key);

  const auto again = run(words("database migrate"));
  EXPECT_EQ(again.code, exit_done) << again.err;
  EXPECT_THAT(again.out, HasSubstr(" is at version "));
  EXPECT_EQ(*store::read_chain_key(key), *first_key);
  EXPECT_THAT(run(words("database status")).out, HasSubstr("the newest of this program"));
  EXPECT_THAT(run(words("database status --output=json")).out, HasSubstr(R"("pending":[])"));

  fs::remove(key);
  const auto lost = run(words("database migrate"));
  EXPECT_EQ(lost.code, exit_failed);
  EXPECT_THAT(lost.err, HasSubstr("put the key file back"));
  EXPECT_FALSE(fs::exists(key));
  EXPECT_EQ(run(words("database status")).code, exit_failed);
}

// Takes nothing, like a full disk.
class FullBuffer : public std::streambuf {
 protected:
  int_type overflow(int_type) override { return traits_type::eof(); }
};

TEST(Program, SaysWhenTheOutputWasLost) {
  FullBuffer full;
  std::ostream out(&full);
  std::ostringstream err;
  EXPECT_EQ(run_program({"version"}, out, err, {}, [] { return Instant{}; }), exit_failed);
  EXPECT_THAT(err.str(), HasSubstr("could not be written"));
  // It was silent where the command had failed anyway, as doctor does that found something.
  std::ostringstream doctor_err;
  out.clear();
  EXPECT_EQ(
      run_program({"doctor", "--config=/none"}, out, doctor_err, {}, [] { return Instant{}; }),
      exit_failed);
  EXPECT_THAT(doctor_err.str(), HasSubstr("could not be written"));
}

TEST(ServiceCommand, StopNamesWhatItDidNotStop) {
  CannedService service;
  const auto nobody = run(service, {"service", "stop"});
  EXPECT_EQ(nobody.code, exit_failed);
  EXPECT_THAT(nobody.err, HasSubstr("the service is not running: nobody listens on"));
  service.start();
  const auto other = run(service, {"service", "stop"});
  EXPECT_EQ(other.code, exit_failed);
  EXPECT_THAT(other.err, HasSubstr("is no asbb-service: it is left as it is"));
  EXPECT_EQ(run({"service", "stop", "--url=http://127.0.0.1:8080"}).code, exit_usage);
}

}  // namespace
}  // namespace asbb::cli
