#include <portitor/config/version_text.hpp>
#include <portitor/core/build_facts.hpp>

#include <fmt/format.h>
#include <openssl/crypto.h>

#include <algorithm>

namespace portitor::config {

std::string boost_version()
{
    std::string out(facts_of_build().boost);
    std::replace(out.begin(), out.end(), '_', '.');
    return out;
}

std::string version_text()
{
    const build_facts& facts = facts_of_build();
    return fmt::format(
        "portitor {}\n"
        "commit    {}{}\n"
        "compiler  {}\n"
        "build     {}\n"
        "OpenSSL   {}, built with {}\n"
        "Boost     {}\n",
        facts.version,
        facts.commit,
        facts.state.empty() ? "" : fmt::format(" ({})", facts.state),
        facts.compiler,
        facts.type,
        OpenSSL_version(OPENSSL_VERSION_STRING),
        facts.openssl,
        boost_version()
    );
}

}  // namespace portitor::config
