#include "cli/version/version.hpp"

#include "cli/options/shared.hpp"
#include "cli/yaml.hpp"

#include <portitor/config/version_text.hpp>
#include <portitor/core/build_facts.hpp>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <openssl/crypto.h>

#include <ostream>

namespace portitor::cli {

namespace {

namespace asio = boost::asio;

boost::json::object as_json()
{
    const build_facts& facts = facts_of_build();
    return {
        {"version", facts.version},
        {"commit", facts.commit},
        {"state", facts.state},
        {"compiler", facts.compiler},
        {"build", facts.type},
        {"openssl", {{"runtime", OpenSSL_version(OPENSSL_VERSION_STRING)}, {"headers", facts.openssl}}},
        {"boost", config::boost_version()}};
}

class version_action final : public action
{
public:
    void declare(config::loader& into) override
    {
        into.add(output_option(output_, {"text", "json", "yaml"}));
    }

    result<void> resolve() override { return {}; }

    asio::awaitable<result<int>> run(const roles::process&, const console& terminal) override
    {
        if (output_ == "json")
            terminal.out << boost::json::serialize(as_json()) << '\n';
        else
            terminal.out << (output_ == "yaml" ? to_yaml(as_json()) : config::version_text());
        co_return 0;
    }

private:
    std::string output_;
};

}  // namespace

std::unique_ptr<action> make_version()
{
    return std::make_unique<version_action>();
}

}  // namespace portitor::cli
