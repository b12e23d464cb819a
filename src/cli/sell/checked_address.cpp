#include "cli/sell/checked_address.hpp"

#include "cli/output/text.hpp"

#include <portitor/evm/spelled_address.hpp>

namespace portitor::cli::sell {

result<std::string> checked_address(std::string_view text)
{
    const auto read = evm::address::parse(text);
    if (!read)
        return fail(
            errc::invalid,
            "\"{}\" is no address: 0x and exactly 40 hexadecimal digits; check that none is missing",
            printable(text, 100)
        );
    if (read->is_zero())
        return fail(errc::invalid, "the zero address is nobody's: what is paid to it is lost");
    const auto spelled = evm::read_spelled_address(text);
    if (!spelled)
        return fail(errc::invalid, "{} is mistyped: {}", text, spelled.error().message());
    return std::string(text);
}

}  // namespace portitor::cli::sell
