#include "catch.hpp"
#include "kube/status.hpp"
#include "objects.hpp"

#include <portitor/kube/api_error.hpp>

#include <stdexcept>
#include <string>

using namespace portitor;
using namespace portitor::kube;
using namespace portitor::kube::samples;
using namespace std::chrono_literals;

namespace {

api_error refusal(unsigned status, std::string reason = "", std::vector<status_cause> causes = {})
{
    return {status, std::move(reason), "because", 0s, std::move(causes)};
}

}  // namespace

TEST_CASE("each HTTP status has its kind of error", "[kube][api_error]")
{
    CHECK(refusal(400).code() == errc::invalid);
    CHECK(refusal(422, "Invalid").code() == errc::invalid);
    CHECK(refusal(404).code() == errc::not_found);
    CHECK(refusal(409).code() == errc::conflict);
    CHECK(refusal(410).code() == errc::conflict);
    CHECK(refusal(401).code() == errc::refused);
    CHECK(refusal(403).code() == errc::refused);
    for (const unsigned status : {408U, 429U, 500U, 502U, 503U, 504U, 302U})
        CHECK(refusal(status).code() == errc::unavailable);
    CHECK(refusal(404).is_not_found());
    CHECK_FALSE(refusal(410).is_not_found());
    CHECK(refusal(404).to_error().code() == errc::not_found);
    CHECK(refusal(404).to_error().message() == "because");
}

TEST_CASE("the conflicts are told apart by their reason", "[kube][api_error]")
{
    CHECK(refusal(409, "Conflict").is_conflict());
    CHECK_FALSE(refusal(409, "Conflict").is_already_exists());
    CHECK(refusal(409, "AlreadyExists").is_conflict());
    CHECK(refusal(409, "AlreadyExists").is_already_exists());
    CHECK_FALSE(refusal(410, "Expired").is_conflict());
}

TEST_CASE("an apply to an object that was replaced is a conflict, whatever its status", "[kube][api_error]")
{
    const api_error replaced = refusal(422, "Invalid", {{"FieldValueInvalid", "metadata.uid", "immutable"}});
    CHECK(replaced.is_conflict());
    CHECK(replaced.code() == errc::conflict);
    CHECK(replaced.http_status() == 422);
    const api_error wrong = refusal(422, "Invalid", {{"FieldValueInvalid", "spec.price", "too low"}});
    CHECK_FALSE(wrong.is_conflict());
    CHECK(wrong.code() == errc::invalid);
}

TEST_CASE("a version is expired by status, reason or cause, never by the message", "[kube][api_error]")
{
    CHECK(refusal(410).is_expired());
    CHECK(refusal(500, "Expired").is_expired());
    CHECK(refusal(500, "Gone").is_expired());
    CHECK(refusal(504, "Timeout", {{"ResourceVersionTooLarge", "", ""}}).is_expired());
    CHECK_FALSE(refusal(504, "Timeout", {{"Other", "", ""}}).is_expired());
    CHECK_FALSE(api_error(504, "Timeout", "Too large resource version: 5, current: 4", 1s).is_expired());
    CHECK_FALSE(refusal(429).is_expired());
    CHECK_FALSE(api_error(fail(errc::unavailable, "no")).is_expired());
}

TEST_CASE("a namespace that is going is told by its cause", "[kube][api_error]")
{
    CHECK(refusal(
              403, "Forbidden", {{"NamespaceTerminating", "metadata.namespace", ""}}
    ).is_namespace_terminating());
    CHECK_FALSE(refusal(403, "Forbidden").is_namespace_terminating());
    CHECK_FALSE(refusal(404, "NotFound", {{"NamespaceTerminating", "", ""}}).is_namespace_terminating());
}

TEST_CASE("what was never answered may have been carried out or not", "[kube][api_error]")
{
    CHECK(api_error(fail(errc::timed_out, "no answer")).is_outcome_unknown());
    CHECK(api_error(fail(errc::protocol, "half an answer")).is_outcome_unknown());
    CHECK_FALSE(api_error(fail(errc::unavailable, "not reached")).is_outcome_unknown());
    CHECK_FALSE(refusal(500).is_outcome_unknown());
    CHECK(api_error(fail(errc::timed_out, "no answer")).http_status() == 0);
}

TEST_CASE("a Status is read with its causes", "[kube][api_error]")
{
    const auto status = json_object(R"({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "message": "Apply failed with 1 conflict", "reason": "Conflict", "code": 409,
        "details": {"retryAfterSeconds": 7, "causes": [
            {"reason": "FieldManagerConflict", "field": ".spec.replicas", "message": "conflict with \"kubectl\""},
            "no cause", {"field": 7}]}})");
    const api_error read = read_status(status, 500, 0s);
    CHECK(read.http_status() == 409);
    CHECK(read.code() == errc::conflict);
    CHECK(read.reason() == "Conflict");
    CHECK(read.retry_after() == 7s);
    CHECK(read.message() == "the API server answered 409: Apply failed with 1 conflict");
    REQUIRE(read.causes().size() == 2);
    CHECK(read.causes()[0].reason == "FieldManagerConflict");
    CHECK(read.causes()[0].field == ".spec.replicas");
    CHECK(read.causes()[0].message == "conflict with \"kubectl\"");
    CHECK(read.causes()[1].reason.empty());
}

TEST_CASE("a Status without anything is the answer's", "[kube][api_error]")
{
    for (const char* text :
         {"{}",
          R"({"code": "409", "details": [], "message": 7, "reason": null})",
          R"({"details": {"causes": {}}})"})
    {
        CAPTURE(text);
        const api_error read = read_status(json_object(text), 503, 4s);
        CHECK(read.http_status() == 503);
        CHECK(read.reason().empty());
        CHECK(read.causes().empty());
        CHECK(read.retry_after() == 4s);
        CHECK(read.message() == "the API server answered 503");
    }
}

TEST_CASE("the longer of the two pauses counts, and none is endless", "[kube][api_error]")
{
    const auto with = [](const std::string& seconds) {
        return json_object(R"({"details": {"retryAfterSeconds": )" + seconds + "}}");
    };
    CHECK(read_status(with("3"), 429, 9s).retry_after() == 9s);
    CHECK(read_status(with("9"), 429, 3s).retry_after() == 9s);
    CHECK(read_status(with("-9"), 429, 0s).retry_after() == 0s);
    CHECK(read_status(with("86400"), 429, 0s).retry_after() == 120s);
}

TEST_CASE("a failure's body may be anything", "[kube][api_error]")
{
    for (const char* body : {"", "<html>secret</html>", "[1]", "7", "{", "\xff"})
    {
        CAPTURE(body);
        const api_error read = read_failure(body, 502, 5s);
        CHECK(read.http_status() == 502);
        CHECK(read.retry_after() == 5s);
        CHECK(read.message() == "the API server answered 502");
    }
    // The status line counts, whatever the body claims.
    const api_error read = read_failure(R"({"code": 200, "reason": "NotFound", "message": "gone"})", 404, 0s);
    CHECK(read.http_status() == 404);
    CHECK(read.is_not_found());
    CHECK(read.message() == "the API server answered 404: gone");
    const std::string essay(100000, 'x');
    CHECK(read_failure(R"({"message": ")" + essay + "\"}", 500, 0s).message().size() < 1100);
}

TEST_CASE("who takes a failure for a value gets an exception", "[kube][api_error]")
{
    const api_result<int> failed = refusal(404);
    CHECK_THROWS_AS(failed.value(), std::runtime_error);
}
