#include "catch.hpp"

#include <portitor/core/published.hpp>

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

using portitor::published;

namespace {

// Both numbers are the same in every version.
struct pair
{
    int left;
    int right;
};

std::shared_ptr<const pair> make(int number)
{
    return std::make_shared<const pair>(pair{number, number});
}

}  // namespace

TEST_CASE("each reader sees the newest version at its next get()", "[core][published]")
{
    published<pair> shared(make(1));
    published<pair>::reader early(shared);
    CHECK(early.get().left == 1);
    const pair* const same = &early.get();
    CHECK(same == &early.get());
    shared.set(make(2));
    published<pair>::reader late(shared);
    CHECK(late.get().left == 2);
    CHECK(early.get().left == 2);
    shared.set(make(3));
    shared.set(make(4));
    CHECK(early.get().left == 4);
    CHECK(late.get().left == 4);
}

TEST_CASE("a version lives for as long as a reader holds it", "[core][published]")
{
    auto first = make(1);
    const std::weak_ptr<const pair> watched = first;
    published<pair> shared(std::move(first));
    published<pair>::reader reader(shared);
    const pair& held = reader.get();
    shared.set(make(2));
    CHECK_FALSE(watched.expired());
    CHECK(held.left == 1);
    reader.get();
    CHECK(watched.expired());
}

// The ThreadSanitizer build is the judge of this one.
TEST_CASE("readers on other threads see whole versions, each newer than the last", "[core][published]")
{
    constexpr int last = 20'000;
    published<pair> shared(make(0));
    std::atomic<int> wrong{0};
    std::vector<std::thread> readers;
    for (int i = 0; i < 3; ++i)
        readers.emplace_back([&] {
            published<pair>::reader reader(shared);
            for (int seen = 0; seen != last;)
            {
                const pair& now = reader.get();
                if (now.left != now.right || now.left < seen)
                    ++wrong;
                seen = now.left;
            }
        });
    for (int i = 1; i <= last; ++i)
        shared.set(make(i));
    for (std::thread& each : readers)
        each.join();
    CHECK(wrong == 0);
}

TEST_CASE("what one thread wrote before set() is seen by who gets it", "[core][published]")
{
    published<pair> shared(make(0));
    int plain = 0;
    std::thread reader([&] {
        published<pair>::reader mine(shared);
        while (mine.get().left == 0)
            std::this_thread::yield();
        CHECK(plain == 7);
    });
    plain = 7;
    shared.set(make(1));
    reader.join();
}
