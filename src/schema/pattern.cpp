#include "schema/pattern.hpp"

#include <cstdint>

namespace portitor::schema {

namespace {

// What one may keep of the texts that it has seen; there are a hundred of them.
constexpr std::int64_t most_memory = 1 << 20;

}  // namespace

std::shared_ptr<const re2::RE2> make_pattern(const std::string& text)
{
    re2::RE2::Options options(re2::RE2::Quiet);
    options.set_max_mem(most_memory);
    return std::make_shared<const re2::RE2>(text, options);
}

}  // namespace portitor::schema
