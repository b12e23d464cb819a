#include "catch.hpp"
#include "cli/pay/key.hpp"
#include "cli/pay/report.hpp"
#include "command_world.hpp"
#include "files.hpp"

#include <boost/json/parse.hpp>

#include <filesystem>

using namespace portitor;
using namespace portitor::cli::pay;
using cli::samples::command_world;
using test::temp_folder;

namespace {

namespace json = boost::json;

// Anyone may know it.
const std::string known_key = "59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d";
constexpr const char* known_address = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8";

bool has(const std::string& text, std::string_view part)
{
    return text.find(part) != std::string::npos;
}

std::string private_file(const temp_folder& folder, const std::string& text, unsigned mode = 0600)
{
    const std::string path = folder.write("key", text);
    std::filesystem::permissions(path, static_cast<std::filesystem::perms>(mode));
    return path;
}

report served_report()
{
    report out;
    out.what = wish_for("http://shop.test/hello").value();
    out.how = ending::served;
    out.answer = http::make_response(http::status::ok, "hello\n");
    out.payer = known_address;
    out.tries = 1;
    return out;
}

}  // namespace

TEST_CASE("a key file is read only where nobody else can", "[cli][pay]")
{
    const temp_folder folder;
    for (const std::string& text : {known_key, "0x" + known_key, "\n " + known_key + "\r\n"})
    {
        const auto key = read_key_file(private_file(folder, text));
        REQUIRE(key.has_value());
        CHECK(key->address().to_checksum() == known_address);
    }
    for (const unsigned mode : {0640U, 0604U, 0620U, 0666U})
    {
        const auto refused = read_key_file(private_file(folder, known_key, mode));
        REQUIRE(refused.has_error());
        CHECK(refused.error().code() == errc::refused);
        CHECK(has(refused.error().message(), "chmod 600"));
        CHECK_FALSE(has(refused.error().message(), known_key));
    }
    CHECK(read_key_file(folder.path("none")).error().code() == errc::not_found);
    for (const std::string& text :
         {std::string(), known_key.substr(1), known_key + known_key, std::string(10'000, 'a')})
    {
        const auto refused = read_key_file(private_file(folder, text));
        REQUIRE(refused.has_error());
        CHECK(has(refused.error().message(), "not a private key"));
        CHECK_FALSE(has(refused.error().message(), known_key.substr(1, 10)));
    }
}

TEST_CASE("a key is read from one line of standard input", "[cli][pay]")
{
    std::istringstream in(known_key + "\nmore");
    CHECK(read_key(in).value().address().to_checksum() == known_address);
    std::istringstream bad("nothing\n");
    CHECK(has(read_key(bad).error().message(), "--key-file -"));
}

TEST_CASE("portitor pay refuses what it is not used for", "[cli][pay]")
{
    command_world world;
    const auto refused = [&](std::vector<std::string> words, std::string_view told) {
        words.insert(words.begin(), "pay");
        const auto ended = world.run(words);
        CAPTURE(ended.err, told);
        CHECK(ended.code == 2);
        CHECK(has(ended.err, told));
    };
    const std::string url = "http://127.0.0.1:1/";
    refused({}, "URL is missing");
    refused({"ftp://a/"}, "URL: ");
    refused({url, "-o", "xml"}, "-o");
    refused({url, "--max-amount", "-1"}, "--max-amount");
    refused({url, "--max-amount", "0.01 USDC"}, "--max-amount");
    refused({url, "--max-atomic-amount", "1.5"}, "--max-atomic-amount");
    refused({url, "--network", "base-sepola"}, "did you mean base-sepolia?");
    refused({url, "--x402-version", "3"}, "--x402-version");
    refused({url, "-H", "PAYMENT-SIGNATURE: x"}, "set by portitor itself");
    refused({url, "-X", "CONNECT"}, "--method");
    refused({url, "--timeout", "0s"}, "--timeout");
    refused({url, "--key", known_key}, "--key");
}

TEST_CASE("what cannot be read or written fails before anything is asked", "[cli][pay]")
{
    command_world world;
    const temp_folder folder;
    const auto failed = [&](std::vector<std::string> words, std::string_view told) {
        words.insert(words.begin(), {"pay", "http://127.0.0.1:1/"});
        const auto ended = world.run(words, known_key.substr(2) + "\n");
        CAPTURE(ended.err, told);
        CHECK(ended.code == 2);
        CHECK(has(ended.err, told));
        CHECK_FALSE(has(ended.err + ended.out, known_key.substr(2, 10)));
    };
    failed({"-d", "@" + folder.path("none")}, "--data");
    failed({"--ca-file", folder.path("none")}, "--ca-file");
    failed({"--ca-file", folder.write("ca", "no certificate")}, "--ca-file");
    failed({"--output-file", folder.path("none/out")}, "--output-file");
    failed({"--key-file", private_file(folder, known_key, 0644)}, "chmod 600");
    failed({"--key-file", "-"}, "not a private key");
    const auto away = world.run({"pay", "http://127.0.0.1:1/"});
    CHECK(away.code == 1);
    CHECK(has(away.err, "cannot connect"));
}

TEST_CASE("a report for people names the receipt, or says why there may be none", "[cli][pay]")
{
    report told = served_report();
    const auto text = [&] {
        std::ostringstream out;
        tell_end(out, told, cli::palette(false));
        return out.str();
    };
    CHECK(has(text(), "served: status 200, 6 bytes\n"));
    CHECK(has(text(), "ForwardAuth can give it to the service only"));
    told.receipt = x402::receipt{true, "0xab\x1b", "eip155:84532", "", ""};
    CHECK(has(text(), "settled in transaction 0xab\\x1b\n"));
    CHECK_FALSE(has(text(), "ForwardAuth"));
    told.tries = 3;
    CHECK(has(text(), "the same payment was sent 3 times\n"));
    told.receipt->success = false;
    told.receipt->reason = "insufficient_funds";
    told.how = ending::refused;
    told.why = "no";
    CHECK(has(text(), "did not settle: insufficient_funds"));
    CHECK_FALSE(has(text(), "served"));
}

TEST_CASE("a report for programs is one JSON object", "[cli][pay]")
{
    const auto known = x402::network_table::built_in();
    report told = served_report();
    json::value out = json::parse(to_json_text(told, known, ""));
    CHECK(out.at("result") == "served");
    CHECK(out.at("status") == 200);
    CHECK(out.at("body") == "hello\n");
    CHECK(json::parse(to_json_text(told, known, "/tmp/x")).at("bodyFile") == "/tmp/x");
    told.answer = http::make_response(http::status::ok, "\xff");
    CHECK(json::parse(to_json_text(told, known, "")).at("bodyBase64") == "/w==");
    told.how = ending::refused;
    out = json::parse(to_json_text(told, known, ""));
    CHECK_FALSE(out.as_object().contains("bodyBase64"));
}

TEST_CASE("a body is harmless on a terminal", "[cli][pay]")
{
    CHECK(printable_body("a\n\x1b[2Jb") == "a\n\\x1b[2Jb\n");
    CHECK(printable_body("").empty());
    CHECK(printable_body(std::string(5000, 'x')).size() == 5001);
}
