#pragma once

#include <string_view>

namespace portitor {

/// What this binary was made of, and how.
struct build_facts
{
    std::string_view version;
    std::string_view commit;    ///< "unknown" where there was no git to ask
    std::string_view state;     ///< of the sources: "clean", "modified", or empty where that is not known
    std::string_view compiler;  ///< "clang 19.1.7"
    std::string_view type;      ///< "relwithdebinfo"
    std::string_view openssl;   ///< the version of its headers: "OpenSSL 3.0.15 3 Sep 2024"
    std::string_view boost;     ///< "1_81"
};

const build_facts& facts_of_build() noexcept;

}  // namespace portitor
