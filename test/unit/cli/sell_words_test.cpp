#include "catch.hpp"
#include "cli/sell/api_words.hpp"
#include "cli/sell/common_options.hpp"
#include "cli/sell/confirm.hpp"
#include "cli/sell/hints.hpp"
#include "cli/sell/offer_list.hpp"
#include "cli/sell/status_view.hpp"
#include "cli/sell/waiting.hpp"
#include "cli/sell/why_not_sold.hpp"

#include <portitor/api/resources.hpp>
#include <portitor/config/groups.hpp>

#include <boost/json/parse.hpp>

#include <fstream>
#include <regex>
#include <sstream>

using namespace portitor;
using namespace portitor::cli::sell;
namespace json = boost::json;

namespace {

constexpr const char* seller = "0x14dC79964da2C08b23698B3D3cc7Ca32193d9955";

kube::object_ptr sample(const std::string& status = "{}", const std::string& upstream_ns = "shop")
{
    const std::string text =
        R"({"metadata":{"namespace":"shop","name":"hello","uid":"1","generation":2},"spec":{)"
        R"("upstream":{"service":"web","namespace":")" +
        upstream_ns + R"(","port":80},"payment":{"network":"base-sepolia","payTo":")" + seller +
        R"(","price":{"perRequest":"0.001"}}},"status":)" + status + "}";
    return kube::parse_object(json::parse(text).as_object()).value();
}

bool has(const std::string& text, const std::string& part)
{
    return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("no reason lacks a hint", "[cli][sell]")
{
    std::ifstream in("include/portitor/api/conditions.hpp");
    std::stringstream text;
    text << in.rdbuf();
    const std::string all = text.str();
    const std::regex reason(R"re(constexpr reason \w+\{"(\w+)"\})re");
    unsigned count = 0;
    for (std::sregex_iterator at(all.begin(), all.end(), reason); at != std::sregex_iterator(); ++at, ++count)
    {
        CAPTURE((*at)[1].str());
        const auto what = hint_for((*at)[1].str(), *sample());
        REQUIRE(what);
        CHECK(!what->words.empty());
        CHECK(!has(what->words + what->command, "{"));
        // Words are wrapped, and a command to copy must not be.
        for (const char* program : {"portitor sell resume", "portitor sell register ", "kubectl "})
            CHECK(!has(what->words, program));
    }
    CHECK(count > 45);
    CHECK(!hint_for("BackendNotFound", *sample()));
}

TEST_CASE("a Gateway's own reason has a hint where it is about the route", "[cli][sell]")
{
    const auto of = sample(
        R"({"conditions":[{"type":"RoutePublished","status":"False","reason":"BackendNotFound","message":"m"}]})"
    );
    kube::condition said;
    said.reason = "BackendNotFound";
    for (const char* type : {"RoutePublished", "Ready"})
    {
        said.type = type;
        REQUIRE(hint_for(said, *of));
        CHECK(hint_for(said, *of)->command == "kubectl get httproute so-hello -n shop -o yaml");
    }
    said.reason = "SomethingElse";
    CHECK(!hint_for(said, *of));
}

TEST_CASE("what others wrote is no part of a command to copy", "[cli][sell]")
{
    CHECK(
        hint_for("Unhealthy", *sample("{}", "back; rm"))->command ==
        "kubectl get service,endpointslices -n NAMESPACE"
    );
    CHECK(hint_for("Drained", *sample())->command == "portitor sell resume hello -n shop");
}

TEST_CASE("a missing right is named", "[cli][sell]")
{
    const kube::api_error why(
        403,
        "Forbidden",
        "serviceoffers.obol.org \"hello\" is forbidden: User \"u\" cannot patch resource "
        "\"serviceoffers\" in API "
        "group \"obol.org\" in the namespace \"shop\"",
        {}
    );
    const error said = in_words(why, "patch", api::service_offer_resource, {"shop", "hello"});
    CHECK(has(said.message(), "no right to patch serviceoffers.obol.org in namespace shop"));
    CHECK(has(said.message(), "kubectl auth can-i patch serviceoffers.obol.org -n shop"));
}

TEST_CASE("who else has set a field is named", "[cli][sell]")
{
    const auto conflict = [](const std::string& manager) {
        return kube::api_error(
            409,
            "Conflict",
            "Apply failed with 1 conflict",
            {},
            {{"FieldManagerConflict",
              ".spec.path",
              "conflict with \"" + manager + "\" using obol.org/v1alpha1"}}
        );
    };
    const error said = in_words(
        conflict("kubectl-client-side-apply"), "patch", api::service_offer_resource, {"shop", "hello"}
    );
    CHECK(has(said.message(), ".spec.path is owned by \"kubectl-client-side-apply\""));
    CHECK(has(said.message(), "--force-conflicts"));
    CHECK(!is_only_our_conflict(conflict("kubectl")));
    CHECK(is_only_our_conflict(conflict("portitor")));
}

TEST_CASE("the status of an offer is a table with what to do", "[cli][sell]")
{
    const auto of = sample(R"({"phase":"Pending","endpoint":"https://x/services/hello","conditions":[
        {"type":"Ready","status":"False","reason":"Unhealthy","message":"bad \u001b[31m","observedGeneration":2,
         "lastTransitionTime":"2026-11-28T00:00:00Z"},
        {"type":"UpstreamHealthy","status":"False","reason":"Unhealthy","message":"connection refused",
         "observedGeneration":2,"lastTransitionTime":"2026-11-28T00:00:00Z"},
        {"type":"RoutePublished","status":"True","reason":"Published","message":"published","observedGeneration":1,
         "lastTransitionTime":"2026-11-28T00:00:00Z"}]})");
    std::ostringstream out;
    offer::plan_settings plan;
    plan.lists = config::defaults<config::operator_lists>();
    plan.lists.resolve().value();
    print_status(
        out, {false, false, "--config"}, {of, nullptr, nullptr}, plan, from_rfc3339("2026-11-28T00:00:30Z")
    );
    const std::string text = out.str();
    CAPTURE(text);
    CHECK(has(text, "ServiceOffer shop/hello (http)\n"));
    CHECK(has(text, "  Price         0.001 USDC on Base Sepolia a request\n"));
    CHECK(has(text, "  Settings      --config\n"));
    CHECK(has(text, "UpstreamHealthy   False    Unhealthy   30s   connection refused\n"));
    CHECK(has(text, "(of an older spec) published"));
    CHECK(has(text, "What to do:\n  UpstreamHealthy is False (Unhealthy): See that the pods"));
    CHECK(text.find('\x1b') == std::string::npos);
    const json::object data = status_data({of, nullptr, nullptr}, "--config");
    CHECK(data.at("settings") == "--config");
    CHECK(data.at("ready") == false);
    CHECK(data.at("hints").as_array().size() == 2);
    CHECK(data.at("hints").as_array()[0].at("type") == "UpstreamHealthy");
}

TEST_CASE("what is to be done is told once, with its command on a line of its own", "[cli][sell]")
{
    const auto condition = [](const char* type, const char* status, const char* reason) {
        return fmt::format(
            R"({{"type":"{}","status":"{}","reason":"{}","message":"m","observedGeneration":2}})",
            type,
            status,
            reason
        );
    };
    const auto of = sample(fmt::format(
        R"({{"conditions":[{},{},{},{}]}})",
        condition("PaymentGateReady", "False", "Withheld"),
        condition("RoutePublished", "False", "Drained"),
        condition("Draining", "True", "Drained"),
        condition("Ready", "False", "Drained")
    ));
    std::ostringstream out;
    offer::plan_settings plan;
    plan.lists = config::defaults<config::operator_lists>();
    plan.lists.resolve().value();
    print_status(out, {}, {of, nullptr, nullptr, "you may not see it"}, plan, {});
    const std::string text = out.str();
    CAPTURE(text);
    CHECK(
        has(text,
            "What to do:\n"
            "  RoutePublished is False (Drained): It was stopped and is taken down. To sell it again:\n"
            "      portitor sell resume hello -n shop\n")
    );
    CHECK(text.ends_with("portitor sell resume hello -n shop\n"));
    CHECK(text.find("resume") == text.rfind("resume"));
    CHECK(has(text, "Admitted      not known: you may not see it\n"));
}

TEST_CASE("what is True with a limitation has its hint too", "[cli][sell]")
{
    const auto condition = [](const char* type, const char* status, const char* reason) {
        kube::condition out;
        out.type = type;
        out.status = status;
        out.reason = reason;
        return out;
    };
    CHECK(is_worth_a_hint(condition("PaymentGateReady", "True", "RefusedBySome")));
    CHECK(is_worth_a_hint(condition("NotSupported", "True", "Ignored")));
    CHECK(is_worth_a_hint(condition("Draining", "True", "Draining")));
    CHECK(is_worth_a_hint(condition("RoutePublished", "False", "ForeignRoute")));
    CHECK(is_worth_a_hint(condition("RoutePublished", "Unknown", "ProvingGate")));
    CHECK_FALSE(is_worth_a_hint(condition("PaymentGateReady", "True", "Admitted")));
    CHECK_FALSE(is_worth_a_hint(condition("Registered", "True", "OffChainOnly")));

    const auto of = sample(R"({"conditions":[
        {"type":"PaymentGateReady","status":"True","reason":"RefusedBySome","message":"v-1 refuses it",
         "observedGeneration":2},
        {"type":"Ready","status":"True","reason":"Ready","message":"sold","observedGeneration":2}]})");
    std::ostringstream out;
    offer::plan_settings plan;
    plan.lists = config::defaults<config::operator_lists>();
    plan.lists.resolve().value();
    print_status(out, {}, {of, nullptr, nullptr}, plan, {});
    CAPTURE(out.str());
    CHECK(has(out.str(), "What to do:\n  PaymentGateReady is True (RefusedBySome): Tell the operator:"));
    const json::object data = status_data({of, nullptr, nullptr}, "");
    CHECK(data.at("ready") == true);
    REQUIRE(data.at("hints").as_array().size() == 1);
    CHECK(data.at("hints").as_array()[0].at("reason") == "RefusedBySome");
}

TEST_CASE("nobody is asked where nobody can answer", "[cli][sell]")
{
    std::istringstream in("y\n");
    std::ostringstream out;
    cli::console terminal{in, out, out};
    CHECK(check_consent(terminal, true).has_value());
    CHECK(confirm(terminal, "Sure?", true));
    CHECK(has(check_consent(terminal, false).error().message(), "--yes"));
    terminal.in_is_terminal = true;
    CHECK(check_consent(terminal, false).has_value());
    CHECK(confirm(terminal, "Sure?", false));
    CHECK(!confirm(terminal, "Sure?", false));
}

TEST_CASE("a wait that ends early says what is known, what goes on, and how to look", "[cli][sell]")
{
    const auto of = sample(R"({"conditions":[{"type":"Ready","status":"False","reason":"Unhealthy",)"
                           R"("message":"connection refused","observedGeneration":2}]})");
    const auto told = [&](waited how, const kube::object& offer) {
        return unfinished(how, std::chrono::seconds(60), offer, "is not sold yet", "Ready").message();
    };
    CHECK(
        told(waited::timed_out, *of) ==
        "ServiceOffer shop/hello is not sold yet, and is no longer waited for after 60s\n"
        "What is known: Ready is False (Unhealthy): connection refused\n"
        "Nothing is taken back, and the controller goes on with it. To look again:\n"
        "  portitor sell status hello -n shop"
    );
    CHECK(has(told(waited::interrupted, *of), "no longer waited for: interrupted\n"));
    CHECK(has(
        told(waited::timed_out, *sample()),
        "What is known: the controller has not looked at the present spec yet; if this lasts, see that it "
        "runs, and that the operator's offer-selector does not leave the offer out\n"
    ));
    json::object held = sample()->raw;
    held["metadata"].as_object()["finalizers"] = json::array{"monetize.obol.org/finalizer"};
    CHECK(
        has(told(waited::timed_out, *kube::parse_object(held).value()),
            "What is known: the predecessor's controller holds the offer (monetize.obol.org/finalizer)")
    );
    CHECK(told(waited::gone, *of) == "ServiceOffer shop/hello was deleted meanwhile");
}

TEST_CASE("why an offer is not sold is what it says itself", "[cli][sell]")
{
    const auto now = from_rfc3339("2026-11-28T00:00:30Z");
    const auto why = [&](const std::string& end, const std::string& status) {
        const auto of = sample(status);
        json::object raw = of->raw;
        if (!end.empty())
        {
            raw["spec"].as_object()["drainAt"] = end;
            raw["spec"].as_object()["drainGracePeriod"] = "0s";
        }
        return why_not_sold(*kube::parse_object(std::move(raw)).value(), now);
    };
    const auto ready = [](const char* status) {
        return fmt::format(
            R"({{"conditions":[{{"type":"Ready","status":"{}","reason":"PathConflict","message":"taken by \u001bx",)"
            R"("observedGeneration":2}}]}})",
            status
        );
    };
    CHECK(
        why("2026-11-28T00:00:00Z", ready("False")) ==
        "it was stopped, and is taken down since 2026-11-28T00:00:00Z. To sell it again:\n"
        "  portitor sell resume hello -n shop"
    );
    CHECK(
        why("", ready("False")) == "it is not published (PathConflict): taken by \\x1bx. What to do:\n"
                                   "  portitor sell status hello -n shop"
    );
    CHECK(has(why("", "{}"), "the controller has not looked at the present spec yet"));
    CHECK(why("2026-11-29T00:00:00Z", ready("True")).empty());
}

TEST_CASE("a table of offers stays readable whatever the API server says", "[cli][sell]")
{
    const std::string much(5000, 'x');
    const auto of =
        kube::parse_object(json::object{
                               {"metadata", {{"namespace", much}, {"name", "\x1b[31m" + much}}},
                               {"spec", {{"type", much}, {"payment", {{"network", much}, {"payTo", much}}}}},
                               {"status", {{"endpoint", much}, {"phase", much}, {"agentId", much}}}}
        ).value();
    std::ostringstream out;
    print_offers(out, false, std::vector{of}, {}, true, true);
    print_problems(out, false, std::vector{of}, portitor::cli::operator_settings());
    const std::string text = out.str();
    CHECK(text.find('\x1b') == std::string::npos);
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);)
        CHECK(line.size() < 1000);
    CHECK(resource_name(*of).size() < 400);
}
