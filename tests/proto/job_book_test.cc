#include "proto/job_book.h"

#include "gtest/gtest.h"

namespace baton {
namespace {

constexpr RequestId kRequest{1, 2};

TEST(JobBookTest, ARepeatedOrOlderAttemptIsNotNew) {
  JobBook book;
  EXPECT_TRUE(book.IsNew(kRequest, 1));
  book.Begin(kRequest, 2, SequenceId{5});
  EXPECT_FALSE(book.IsNew(kRequest, 1));
  EXPECT_FALSE(book.IsNew(kRequest, 2));
  EXPECT_TRUE(book.IsNew(kRequest, 3));
  book.End(kRequest, SequenceId{5});
  EXPECT_FALSE(book.IsNew(kRequest, 2));
}

TEST(JobBookTest, OnlyTheLiveAttemptIsFound) {
  JobBook book;
  book.Begin(kRequest, 2, SequenceId{5});
  EXPECT_EQ(book.Live(kRequest, 0), SequenceId{5});
  EXPECT_EQ(book.Live(kRequest, 2), SequenceId{5});
  EXPECT_FALSE(book.Live(kRequest, 1).has_value());
  book.End(kRequest, SequenceId{4});  // another one's end
  EXPECT_TRUE(book.Live(kRequest, 0).has_value());
  book.End(kRequest, SequenceId{5});
  EXPECT_FALSE(book.Live(kRequest, 0).has_value());
}

TEST(JobBookTest, ForgetsTheOldestEndsAndNoLiveOne) {
  JobBook book;
  book.Begin(kRequest, 1, SequenceId{1});
  for (std::uint64_t i = 2; i < JobBook::kEndedMax + 10; ++i) {
    book.Begin({9, i}, 1, SequenceId{i});
    book.End({9, i}, SequenceId{i});
  }
  EXPECT_TRUE(book.IsNew({9, 2}, 1));
  EXPECT_FALSE(book.IsNew({9, JobBook::kEndedMax}, 1));
  EXPECT_TRUE(book.Live(kRequest, 1).has_value());
}

}  // namespace
}  // namespace baton
