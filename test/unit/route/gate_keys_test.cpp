#include "catch.hpp"
#include "files.hpp"
#include "route/gate_keys.hpp"

using namespace portitor;
using namespace portitor::route;
using namespace std::chrono_literals;

namespace {

const std::string first(32, 'a');
const std::string second(32, 'b');
const std::string third(32, 'c');

std::string token(const std::string& secret, std::string_view uid = "u1")
{
    return api::gate_key::make(secret).value().token_for("shop", "hello", uid);
}

struct keys_world
{
    test::temp_folder folder;
    gate_keys keys{folder.path("key")};
    timekeeper::time_point now{};

    bool read(const std::string& text)
    {
        folder.write("key", text);
        return keys.refresh(now).has_value();
    }
    bool admits(const std::string& shown) const { return keys.admit("shop", "hello", "u1", shown); }
};

}  // namespace

TEST_CASE_METHOD(keys_world, "only the offer's own token is right", "[route][gate_keys]")
{
    // Before there is a key nothing is.
    CHECK_FALSE(admits(token(first)));
    CHECK_FALSE(admits(""));
    CHECK(keys.refresh(now).has_error());
    REQUIRE(read(first));
    CHECK(admits(token(first)));
    CHECK_FALSE(admits(token(second)));
    CHECK_FALSE(admits(token(first, "u2")));
    CHECK_FALSE(admits(""));
    CHECK_FALSE(admits(token(first).substr(1)));
    CHECK_FALSE(admits(token(first) + "0"));
    CHECK_FALSE(keys.admit("shop", "other", "u1", token(first)));
    CHECK_FALSE(keys.admit("mall", "hello", "u1", token(first)));
    CHECK_FALSE(keys.admit("shop", "hello", "", token(first)));
}

TEST_CASE_METHOD(keys_world, "the key before is good for a while, and no longer", "[route][gate_keys]")
{
    REQUIRE(read(first));
    now += 1h;
    REQUIRE(read(second));
    CHECK(admits(token(first)));
    CHECK(admits(token(second)));
    now += gate_keys::grace - 1s;
    REQUIRE(keys.refresh(now).has_value());
    CHECK(admits(token(first)));
    now += 1s;
    REQUIRE(keys.refresh(now).has_value());
    CHECK_FALSE(admits(token(first)));
    CHECK(admits(token(second)));
    // Of keys that change in haste, the last two are good.
    REQUIRE(read(first));
    REQUIRE(read(third));
    CHECK_FALSE(admits(token(second)));
    CHECK(admits(token(first)));
    CHECK(admits(token(third)));
}

TEST_CASE_METHOD(keys_world, "a file that holds no key changes nothing", "[route][gate_keys]")
{
    REQUIRE(read(first));
    CHECK_FALSE(read("short"));
    CHECK_FALSE(read(""));
    CHECK(admits(token(first)));
    std::filesystem::remove(folder.path("key"));
    CHECK(keys.refresh(now).has_error());
    CHECK(admits(token(first)));
    // Nor does it hold up the end of the key before.
    REQUIRE(read(second));
    CHECK_FALSE(read("short"));
    now += gate_keys::grace;
    CHECK(keys.refresh(now).has_error());
    CHECK_FALSE(admits(token(first)));
    CHECK(admits(token(second)));
}

TEST_CASE("without a file there is no key, and no token is right", "[route][gate_keys]")
{
    gate_keys none;
    CHECK_FALSE(none.configured());
    CHECK(none.refresh({}).has_value());
    CHECK_FALSE(none.admit("shop", "hello", "u1", ""));
    CHECK_FALSE(none.admit("shop", "hello", "u1", token(first)));
}
