#include "catch.hpp"
#include "cli/pay/body_file.hpp"
#include "cli/pay/kept_payment.hpp"
#include "cli/pay/wish.hpp"
#include "files.hpp"

#include <portitor/core/small_file.hpp>

#include <filesystem>

using namespace portitor;
using namespace portitor::cli::pay;

namespace {

bool has(const std::string& text, std::string_view part)
{
    return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a payment that may still settle can be read again", "[cli][pay]")
{
    const kept_payment what{
        "https://shop.test/hello",
        "POST",
        {x402::payment_header::x_payment,
         "c2lnbmVk",
         evm::address::parse("0x70997970C51812dc3A010C7d01b50e0d17dc79C8").value(),
         1'795'511'510}};
    const std::string file = keep_payment(what).value();
    const auto mode = std::filesystem::status(file).permissions();
    CHECK((mode & std::filesystem::perms(0777)) == std::filesystem::perms(0600));
    const kept_payment read = read_kept_payment(file).value();
    CHECK(read.url == what.url);
    CHECK(read.method == "POST");
    CHECK(read.payment.header == x402::payment_header::x_payment);
    CHECK(read.payment.value == "c2lnbmVk");
    CHECK(read.payment.payer == what.payment.payer);
    CHECK(read.payment.valid_before == 1'795'511'510);
    std::filesystem::remove(file);
    CHECK(read_kept_payment(file).has_error());

    const test::temp_folder folder;
    for (const char* text :
         {"",
          "[]",
          R"({"url":"u","method":"GET","header":"Cookie","value":"YQ==","payer":"0x70997970C51812dc3A010C7d01b50e0d17dc79C8","validBefore":5})",
          R"({"url":"u","method":"GET","header":"X-PAYMENT","value":"a\r\nb: c","payer":"0x70997970C51812dc3A010C7d01b50e0d17dc79C8","validBefore":5})",
          R"({"url":"u","method":"GET","header":"X-PAYMENT","value":"YQ==","payer":"me","validBefore":5})",
          R"({"url":"u","method":"GET","header":"X-PAYMENT","value":"YQ==","payer":"0x70997970C51812dc3A010C7d01b50e0d17dc79C8","validBefore":-5})"})
        CHECK(has(read_kept_payment(folder.write("kept", text)).error().message(), "holds no payment"));
}

TEST_CASE("a body file is whole or not there", "[cli][pay]")
{
    const test::temp_folder folder;
    const auto files = [&] {
        std::size_t found = 0;
        for ([[maybe_unused]] const auto& each : std::filesystem::directory_iterator(folder.path("")))
            ++found;
        return found;
    };
    const auto content = [](const std::string& path) { return read_small_file(path).value(); };
    {
        const auto unused = body_file::open(folder.path("new"));
        REQUIRE(unused.has_value());
    }
    CHECK(files() == 0);
    REQUIRE(body_file::open(folder.path("new"))->write("hello").has_value());
    CHECK(content(folder.path("new")) == "hello");
    CHECK(files() == 1);

    // What is there stays until the body is, and keeps its mode; a link stays a link.
    const std::string old = folder.write("old", "before");
    std::filesystem::permissions(old, std::filesystem::perms(0640));
    std::filesystem::create_symlink(old, folder.path("link"));
    auto file = body_file::open(folder.path("link"));
    CHECK(content(old) == "before");
    REQUIRE(file->write("after").has_value());
    CHECK(content(old) == "after");
    CHECK(std::filesystem::is_symlink(folder.path("link")));
    CHECK(std::filesystem::status(old).permissions() == std::filesystem::perms(0640));

    CHECK(has(body_file::open(folder.path("")).error().message(), "Is a directory"));
    CHECK(has(body_file::open(folder.path("none/out")).error().message(), "No such file"));
    // A device is written in place, and stays.
    CHECK(body_file::open("/dev/null")->write("hello").has_value());
    CHECK(has(body_file::open("/dev/full")->write("hello").error().message(), "No space left"));
    CHECK(std::filesystem::is_character_file("/dev/null"));
}

TEST_CASE("plain http to others can be read on its way", "[cli][pay]")
{
    const auto clear = [](const char* url) { return is_in_clear(wish_for(url).value()); };
    for (const char* url :
         {"http://shop.test/", "http://10.0.0.1:8000/", "http://[fd00::1]/", "http://localhost.test/"})
        CHECK(clear(url));
    for (const char* url :
         {"https://shop.test/",
          "http://127.0.0.1:8000/",
          "http://[::1]/",
          "http://localhost:1/",
          "http://a.localhost/"})
        CHECK_FALSE(clear(url));
}
