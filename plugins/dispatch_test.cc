// The object as Slurm loads it, with its entry points as Slurm calls them.
#include <dlfcn.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

#include "plugins/clock.h"
#include "plugins/slurm_abi.h"
#include "plugins/testing/fake_service.h"
#include "plugins/testing/fake_slurm.h"

namespace asbb::plugins {
namespace {

class Object : public ::testing::Test {
 protected:
  Object() : handle_(dlopen(ASBB_PLUGIN_OBJECT, RTLD_NOW | RTLD_LOCAL)) {
    EXPECT_NE(handle_, nullptr) << dlerror();
    testing::take_log();
  }
  ~Object() override {
    symbol<int()>("fini")();
    dlclose(handle_);
    unsetenv("SLURM_CONF");
  }

  template <typename Type>
  Type* symbol(const char* name) {
    void* address = dlsym(handle_, name);
    EXPECT_NE(address, nullptr) << name;
    return reinterpret_cast<Type*>(address);
  }

  testing::Folder folder_;
  void* handle_;
};

using Submit = int(job_desc_msg_t*, std::uint32_t, char**);

TEST_F(Object, IsAJobSubmitPluginOfThisVeryVersion) {
  EXPECT_STREQ(symbol<const char>("plugin_type"), "job_submit/budget");
  EXPECT_STREQ(symbol<const char>("plugin_name"), "asbb_budget");
  EXPECT_EQ(*symbol<const std::uint32_t>("plugin_version"), std::uint32_t{SLURM_VERSION_NUMBER});
}

TEST_F(Object, IsSilentWhereItIsNotSlurmctld) {
  setenv("SLURM_CONF", folder_.path("nothing/slurm.conf").c_str(), 1);
  EXPECT_EQ(symbol<int()>("init")(), SLURM_SUCCESS);
  const std::size_t before = testing::registered_options().size();
  EXPECT_EQ(symbol<spank_f>("slurm_spank_init")(nullptr, 0, nullptr), SLURM_SUCCESS);
  EXPECT_TRUE(testing::take_log().empty());

  const auto options = testing::registered_options();
  ASSERT_EQ(options.size(), before + 2);
  const spank_option& cloud = options[before];
  const spank_option& budget = options[before + 1];
  EXPECT_STREQ(cloud.name, "cloud");
  EXPECT_EQ(cloud.has_arg, 0);
  EXPECT_STREQ(budget.name, "budget");
  EXPECT_EQ(budget.has_arg, 1);
  EXPECT_EQ(cloud.cb(cloud.val, nullptr, 0), 0);
  EXPECT_EQ(budget.cb(budget.val, "proj001", 0), 0);
  EXPECT_LT(budget.cb(budget.val, "not a name", 0), 0);
  EXPECT_LT(budget.cb(budget.val, nullptr, 0), 0);
  EXPECT_EQ(budget.cb(budget.val, "not a name", 1), 0) << "too late to fail on the node";
}

// What sbatch, salloc and srun pay when nobody uses the options. It takes some 0.1 ms; the bound is
// for a busy machine, and the median of many.
TEST_F(Object, CostsLessThanAMillisecondWhereItIsNotUsed) {
  std::vector<std::int64_t> took_micros;
  dlclose(handle_);
  ASSERT_EQ(dlopen(ASBB_PLUGIN_OBJECT, RTLD_NOW | RTLD_NOLOAD), nullptr) << "loading is part of it";
  for (int at = 0; at < 51; ++at) {
    const std::int64_t start = monotonic_micros();
    void* handle = dlopen(ASBB_PLUGIN_OBJECT, RTLD_NOW | RTLD_LOCAL);
    ASSERT_NE(handle, nullptr) << dlerror();
    reinterpret_cast<int (*)()>(dlsym(handle, "init"))();
    reinterpret_cast<spank_f*>(dlsym(handle, "slurm_spank_init"))(nullptr, 0, nullptr);
    reinterpret_cast<int (*)()>(dlsym(handle, "fini"))();
    dlclose(handle);
    took_micros.push_back(monotonic_micros() - start);
  }
  handle_ = dlopen(ASBB_PLUGIN_OBJECT, RTLD_NOW | RTLD_LOCAL);
  std::sort(took_micros.begin(), took_micros.end());
  EXPECT_LT(took_micros[25], 1'000);
  EXPECT_TRUE(testing::take_log().empty());
}

TEST_F(Object, ReadsItsLineFromPlugstackAndDecides) {
  const std::string socket = folder_.path("asbb.sock");
  setenv("SLURM_CONF", folder_.write("slurm.conf", "ClusterName=OnPrem\n").c_str(), 1);
  folder_.write("plugstack.conf", "required job_submit_budget.so timeout_ms=1000 socket=" + socket);
  folder_.write("policy.onprem", "version 1\ndefault allow\n");
  const testing::FakeService service(
      socket, testing::answering(testing::answer(200, "deny", "Not enough.")));

  testing::Request request;
  EXPECT_EQ(symbol<Submit>("job_submit")(request.get(), 1'000, request.err_msg()),
            ESLURM_ACCOUNTING_POLICY);
  EXPECT_EQ(request.take_err_msg(), "asbb: Not enough.");
  const auto log = testing::take_log();
  ASSERT_FALSE(log.empty());
  EXPECT_EQ(log[0], "info: asbb: cluster onprem: budget service at " + socket +
                        ", timeout 1000 ms, policy file " + folder_.path("policy.onprem"));
}

TEST_F(Object, ComesUpWithoutAnyConfiguration) {
  setenv("SLURM_CONF", folder_.path("slurm.conf").c_str(), 1);
  testing::Request request;
  EXPECT_EQ(symbol<Submit>("job_submit")(request.get(), 1'000, request.err_msg()),
            ESLURM_ACCOUNTING_POLICY)
      << "nothing says that jobs may pass unasked";
  EXPECT_NE(request.take_err_msg().find("does not answer"), std::string::npos);
  bool has_error = false;
  for (const std::string& line : testing::take_log()) {
    has_error = has_error || line.starts_with("error: asbb: ");
  }
  EXPECT_TRUE(has_error);
}

TEST_F(Object, LetsChangesPass) {
  testing::Request request;
#if ASBB_JOB_MODIFY_TELLS_THE_USER
  using Modify = int(job_desc_msg_t*, job_record*, std::uint32_t, char**);
  EXPECT_EQ(symbol<Modify>("job_modify")(request.get(), nullptr, 1'000, request.err_msg()),
            SLURM_SUCCESS);
#else
  using Modify = int(job_desc_msg_t*, job_record*, std::uint32_t);
  EXPECT_EQ(symbol<Modify>("job_modify")(request.get(), nullptr, 1'000), SLURM_SUCCESS);
#endif
  EXPECT_EQ(request->admin_comment, nullptr);
}

}  // namespace
}  // namespace asbb::plugins
