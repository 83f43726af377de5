#include "pricing/tres.h"

#include <gtest/gtest.h>

namespace asbb::pricing {
namespace {

using Gpus = std::map<std::string, std::int64_t>;

TEST(AllocatedTres, ReadsWhatSacctPrints) {
  const auto tres =
      parse_allocated_tres("billing=1,cpu=4,gres/gpu:a100=2,gres/gpu=2,mem=4000M,node=1");
  ASSERT_TRUE(tres.has_value()) << tres.error().message;
  EXPECT_EQ(tres->nodes, 1);
  EXPECT_EQ(tres->cores, 4);
  EXPECT_EQ(tres->memory_mb, 4000);
  EXPECT_EQ(tres->gpus_by_type, (Gpus{{"a100", 2}}));
}

TEST(AllocatedTres, CountsTypedAndTotalGpusOnce) {
  EXPECT_EQ(parse_allocated_tres("gres/gpu=5,gres/gpu:a100=2")->gpus_by_type,
            (Gpus{{"", 3}, {"a100", 2}}));
  EXPECT_EQ(parse_allocated_tres("gres/gpu=2")->gpus_by_type, (Gpus{{"", 2}}));
  EXPECT_EQ(parse_allocated_tres("gres/gpu:A100=1,gres/gpu:v100=1,gres/gpu=2")->gpus_by_type,
            (Gpus{{"a100", 1}, {"v100", 1}}));
  EXPECT_EQ(parse_allocated_tres("gres/gpu=1,gres/gpu:a100=4")->gpus(), 4);
  EXPECT_TRUE(parse_allocated_tres("gres/gpu=0,gres/gpu:a100=0")->gpus_by_type.empty());
}

TEST(AllocatedTres, ReadsEveryMemorySuffix) {
  EXPECT_EQ(parse_allocated_tres("mem=1024K")->memory_mb, 1);
  EXPECT_EQ(parse_allocated_tres("mem=1025K")->memory_mb, 2);  // up, never down
  EXPECT_EQ(parse_allocated_tres("mem=512")->memory_mb, 512);
  EXPECT_EQ(parse_allocated_tres("mem=62.50G")->memory_mb, 64'000);
  EXPECT_EQ(parse_allocated_tres("mem=1.5T")->memory_mb, 1'572'864);
}

TEST(AllocatedTres, IsEmptyForAJobThatNeverStarted) {
  EXPECT_EQ(*parse_allocated_tres(""), Tres{});
}

TEST(AllocatedTres, IgnoresWhatHasNoPrice) {
  EXPECT_EQ(*parse_allocated_tres("energy=18446744073709551614,license/x=3,gres/craynetwork=1,"
                                  "gres/gpumem=7,fs/disk=1"),
            Tres{});
}

TEST(AllocatedTres, RefusesWhatItWouldMisread) {
  for (const char* text : {"1=4,2=4000,4=1",
                           "cpu=-1",
                           "cpu=1.5",
                           "cpu=",
                           "cpu",
                           "=4",
                           "cpu=4,cpu=8",
                           "cpu=1000000001",
                           "cpu=99999999999999999999",
                           "mem=-4000M",
                           "mem=4X",
                           "mem=nan",
                           "mem=1e3M",
                           "mem=.5G",
                           "mem=1.G",
                           "mem=99999999999T",
                           "gres/gpu:=2",
                           "gres/gpu:a100=two",
                           "cpu=4,,node=1",
                           "cpu= 4",
                           "mem=4GB"}) {
    EXPECT_FALSE(parse_allocated_tres(text).has_value()) << text;
  }
}

TEST(AllocatedTres, NamesTheItemAtFault) {
  const auto error = parse_allocated_tres("cpu=4,mem=nan").error();
  EXPECT_EQ(error.kind, ErrorKind::invalid);
  EXPECT_NE(error.message.find("'mem=nan'"), std::string::npos);
}

TEST(RequestedTres, ReadsTheFormsOfEveryVersion) {
  EXPECT_EQ(parse_requested_tres("gres:gpu:a100:2")->gpus_by_type, (Gpus{{"a100", 2}}));
  EXPECT_EQ(parse_requested_tres("gres/gpu:a100:2")->gpus_by_type, (Gpus{{"a100", 2}}));
  EXPECT_EQ(parse_requested_tres("gres/gpu:a100=2")->gpus_by_type, (Gpus{{"a100", 2}}));
  EXPECT_EQ(parse_requested_tres("gres:gpu:2")->gpus_by_type, (Gpus{{"", 2}}));
  EXPECT_EQ(parse_requested_tres("gres/gpu=2")->gpus_by_type, (Gpus{{"", 2}}));
  EXPECT_EQ(parse_requested_tres("gpu:2")->gpus_by_type, (Gpus{{"", 2}}));
  EXPECT_EQ(parse_requested_tres("gpu:A100")->gpus_by_type, (Gpus{{"a100", 1}}));
  EXPECT_EQ(parse_requested_tres("gpu")->gpus_by_type, (Gpus{{"", 1}}));
  EXPECT_EQ(parse_requested_tres("gres:gpu:1g.5gb:3")->gpus_by_type, (Gpus{{"1g.5gb", 3}}));
  EXPECT_EQ(parse_requested_tres("cpu=4,gres/gpu=1")->cores, 4);
}

TEST(RequestedTres, AddsUpLists) {
  EXPECT_EQ(parse_requested_tres("gres:gpu:a100:2,gres:gpu:v100:1,gres:gpu:a100:1")->gpus_by_type,
            (Gpus{{"a100", 3}, {"v100", 1}}));
  EXPECT_EQ(parse_requested_tres("gres:craynetwork:1,license:matlab:2,gres:none")->gpus(), 0);
  EXPECT_EQ(*parse_requested_tres(""), Tres{});
  EXPECT_EQ(*parse_requested_tres("gpu:0"), Tres{});
}

TEST(RequestedTres, RefusesWhatItWouldMisread) {
  for (const char* text : {"gpu:-1", "gpu:a100:-1", "gpu:a100:x", "gpu:2k", "gpu:a100:2K",
                           "gpu:a:b:2", "gres:gpu:", "gpu::2", "gpu:99999999999", "gpu:2,",
                           "gpu:1.5:2.5", "cpu:x", "gpu:600000000,gpu:600000000"}) {
    EXPECT_FALSE(parse_requested_tres(text).has_value()) << text;
  }
}

TEST(PerGpuValue, TakesTheLargest) {
  EXPECT_EQ(*parse_per_gpu_value("gres:gpu:4096"), 4096);
  EXPECT_EQ(*parse_per_gpu_value("gres/gpu:a100:8,gres/gpu:v100:16"), 16);
  EXPECT_EQ(*parse_per_gpu_value(""), 0);
  EXPECT_FALSE(parse_per_gpu_value("gres:gpu:a100:many").has_value());
}

TEST(Tres, SaysWhatItIs) {
  EXPECT_EQ(to_string(Tres{2, 64, 128'000, {{"", 1}, {"a100", 4}}}),
            "2 nodes, 64 CPUs, 128000 MB, 1 GPU, 4 GPUs a100");
  EXPECT_EQ(to_string(Tres{}), "nothing");
}

}  // namespace
}  // namespace asbb::pricing
