#include "../command_world.hpp"
#include "cli/doctor/examination.hpp"
#include "cli/doctor/report.hpp"
#include "doctor_world.hpp"

#include <sstream>
#include <stdexcept>

using namespace portitor;
using namespace portitor::cli::doctor;
using namespace portitor::cli::doctor::samples;

namespace {

asio::awaitable<void> finds(const patient&, notebook& into)
{
    into.ok("one", "well");
    co_return;
}

asio::awaitable<void> hangs(const patient& of, notebook& into)
{
    into.warn("first", "found", "do");
    co_await of.around.timers.sleep_for(std::chrono::hours(1));
    into.ok("second", "never");
}

/// Whatever it is asked, it refuses the connection.
class unreached final : public kube::api
{
public:
    template <typename T>
    using answer = asio::awaitable<kube::api_result<T>>;

    answer<kube::object_ptr> get(kube::resource, kube::object_key, kube::request_class) override
    {
        co_return no_connection();
    }
    answer<kube::list_page>
    list(kube::resource, kube::selection, kube::list_position, kube::item_handler) override
    {
        co_return no_connection();
    }
    answer<std::unique_ptr<http::body_stream>>
    watch(kube::resource, kube::selection, std::string, std::chrono::seconds) override
    {
        co_return no_connection();
    }
    answer<kube::object_ptr> apply(kube::resource, json::object, kube::apply_options) override
    {
        co_return no_connection();
    }
    answer<kube::object_ptr> patch(kube::resource, kube::object_key, json::array) override
    {
        co_return no_connection();
    }
    answer<kube::object_ptr> replace(kube::resource, json::object, kube::request_class) override
    {
        co_return no_connection();
    }
    answer<kube::object_ptr> create(kube::resource, json::object, kube::request_class) override
    {
        co_return no_connection();
    }
    answer<void> remove(kube::resource, kube::object_key, kube::delete_options) override
    {
        co_return no_connection();
    }
    asio::awaitable<result<http::response>> ask(http::verb, std::string, std::string) override
    {
        co_return fail(errc::unavailable, "connection refused");
    }

private:
    static kube::api_error no_connection()
    {
        return kube::api_error(fail(errc::unavailable, "connection refused"));
    }
};

asio::awaitable<void> throws(const patient&, notebook&)
{
    throw std::runtime_error("a fault");
    co_return;
}

}  // namespace

TEST_CASE("an area that hangs or throws holds up no other, and what it has found stays", "[cli][doctor]")
{
    doctor_world world;
    const patient of = world.made();
    const std::vector<area> areas{
        {"hanging", "", false, &hangs}, {"throwing", "", false, &throws}, {"good", "", false, &finds}};
    std::optional<std::vector<finding>> found;
    asio::co_spawn(
        world.host.context,
        examine(of, areas, std::chrono::seconds(15)),
        [&](std::exception_ptr, std::vector<finding> all) { found = std::move(all); }
    );
    world.host.context.poll();
    CHECK_FALSE(found);
    world.host.timers.advance(std::chrono::seconds(15));
    world.host.context.restart();
    world.host.context.poll();
    REQUIRE(found);
    CHECK(
        lines(*found) == "warning first: found\n"
                         "failure time: it has not ended within 15 s: the rest was not checked\n"
                         "failure doctor: a fault\n"
                         "ok one: well\n"
    );
}

TEST_CASE("what others wrote cannot move the cursor, and no area writes for ever", "[cli][doctor]")
{
    notebook into("area");
    into.failure("a\x1b[2J", "b\n\xff", "c\r");
    CHECK(into.findings().front().check == "a\\x1b[2J");
    CHECK(into.findings().front().words == "b \\xff");
    CHECK(into.findings().front().advice == "c\\x0d");
    for (int i = 0; i < 1000; ++i)
        into.ok("same", "again");
    CHECK(into.findings().size() == 201);
    CHECK(into.findings().back().check == "more");
}

TEST_CASE("a report as text and as JSON", "[cli][doctor]")
{
    report what;
    what.settings = "--config";
    what.findings = {
        {"gate", "shop/hello", verdict::ok, "HTTP 402", ""},
        {"gate", "shop/other", verdict::failure, "HTTP 200", "look"},
        {"offers", "Ready", verdict::not_checked, "no", ""}};
    std::ostringstream text;
    print_text(what, text, cli::palette(false));
    CHECK(
        text.str() == "Settings: --config\n\n"
                      "gate\n"
                      "  ok             shop/hello: HTTP 402\n"
                      "  failure        shop/other: HTTP 200\n"
                      "                 -> look\n\n"
                      "offers\n"
                      "  not checked    Ready: no\n\n"
                      "1 ok, 0 info, 0 warning, 1 failure, 1 not checked\n"
    );
    std::ostringstream as_json;
    print_json(what, as_json);
    const json::object read = object_of(as_json.str());
    CHECK(
        json::serialize(read.at("summary")) == R"({"ok":1,"info":0,"warning":0,"failure":1,"notChecked":1})"
    );
    CHECK(kube::array_at(read, "findings").at(2).at("verdict") == "notChecked");
}

TEST_CASE("without the API server doctor says so once, and blames nobody else", "[cli][doctor]")
{
    cli::samples::command_world world;
    world.between = [](std::unique_ptr<kube::api>) -> std::unique_ptr<kube::api> {
        return std::make_unique<unreached>();
    };
    const auto all = world.run({"doctor", "-o", "json"});
    CHECK(all.code == 1);
    const json::array found = object_of(all.out).at("findings").as_array();
    REQUIRE(found.size() == 2);
    CHECK(kube::string_at(found[0].as_object(), "check") == "reached");
    CHECK(kube::string_at(found[0].as_object(), "verdict") == "failure");
    CHECK(kube::string_at(found[1].as_object(), "verdict") == "notChecked");
    CHECK(
        kube::string_at(found[1].as_object(), "words") ==
        "without the API server there is nothing to see of crds, rights, roles, gateway, traefik, bypasses, "
        "gate, facilitators, nodes, certificates, offers"
    );
    const auto one = world.run({"doctor", "--only=roles", "-o", "json"});
    CHECK(one.code == 1);
    CHECK(
        one.out.find("nothing to see of roles (listing ServiceOffers: connection refused)") !=
        std::string::npos
    );
    CHECK(object_of(one.out).at("findings").as_array().size() == 1);
}

TEST_CASE("the command's exit codes", "[cli][doctor]")
{
    cli::samples::command_world world;
    const auto offline = world.run({"doctor", "--offline", "--only=offers"});
    CHECK(offline.code == 0);
    CHECK(offline.out.find("Ready: all of 0 offers that are to be sold") != std::string::npos);
    CHECK(
        offline.out.find("not checked    settings: those of the installation are not known") !=
        std::string::npos
    );
    CHECK(world.run({"doctor", "--only=gateway", "-o", "json"}).code == 1);
    // Nothing that was to be looked at could be: that is not well.
    const auto blind = world.run({"doctor", "--only=gate", "--gateway-url=http://gateway.test"});
    CHECK(blind.out.find("0 ok, 0 info, 0 warning, 0 failure, 2 not checked") != std::string::npos);
    CHECK(blind.code == 1);
    const std::vector<std::vector<std::string>> wrong{
        {"doctor", "--only=everything"},
        {"doctor", "-o", "xml"},
        {"doctor", "--timeout=0s"},
        {"doctor", "--registrar-account=me"},
        {"doctor", "shop/hello"}};
    for (const std::vector<std::string>& words : wrong)
        CHECK(world.run(words).code == 2);
    const auto rights = world.run({"doctor", "--rights"});
    CHECK(rights.code == 0);
    CHECK(rights.out.starts_with("WHO"));
}
