#include <portitor/evm/rlp.hpp>

#include <algorithm>
#include <array>
#include <utility>

namespace portitor::evm {

namespace {

// Of the first byte: what is above stands for something else.
constexpr std::uint8_t string_base = 0x80;
constexpr std::uint8_t list_base = 0xc0;
constexpr std::size_t longest_short = 55;

/// A number without leading zeros, at the end of 32 bytes.
class minimal
{
public:
    explicit minimal(const u256& number)
    {
        if (number == 0)
            return;
        size_ = boost::multiprecision::msb(number) / 8 + 1;
        boost::multiprecision::export_bits(number, bytes_.end() - static_cast<std::ptrdiff_t>(size_), 8);
    }

    std::span<const std::uint8_t> view() const { return std::span(bytes_).last(size_); }

private:
    std::array<std::uint8_t, 32> bytes_{};
    std::size_t size_ = 0;
};

void append_head(bytes& to, std::uint8_t base, std::size_t size)
{
    if (size <= longest_short)
    {
        to.push_back(static_cast<std::uint8_t>(base + size));
        return;
    }
    const minimal length{u256(size)};
    to.push_back(static_cast<std::uint8_t>(base + longest_short + length.view().size()));
    to.insert(to.end(), length.view().begin(), length.view().end());
}

/// What stands behind the head of an item whose first byte is at least `base`.
result<std::span<const std::uint8_t>> take_body(std::span<const std::uint8_t>& from, std::uint8_t base)
{
    std::size_t size = from.front() - base;
    std::size_t head = 1;
    if (size > longest_short)
    {
        const std::size_t digits = size - longest_short;
        if (digits > sizeof(std::uint32_t) || from.size() < 1 + digits)
            return fail(errc::invalid, "RLP: an item is longer than what it stands in");
        size = 0;
        for (const std::uint8_t digit : from.subspan(1, digits))
            size = size << 8 | digit;
        head += digits;
    }
    if (from.size() - head < size)
        return fail(errc::invalid, "RLP: an item is longer than what it stands in");
    const auto body = from.subspan(head, size);
    from = from.subspan(head + size);
    return body;
}

}  // namespace

void append_rlp(bytes& to, std::span<const std::uint8_t> text)
{
    if (text.size() != 1 || text.front() >= string_base)
        append_head(to, string_base, text.size());
    to.insert(to.end(), text.begin(), text.end());
}

void append_rlp(bytes& to, const u256& number)
{
    append_rlp(to, minimal(number).view());
}

void append_rlp_list(bytes& to, std::span<const std::uint8_t> items)
{
    append_head(to, list_base, items.size());
    to.insert(to.end(), items.begin(), items.end());
}

result<std::span<const std::uint8_t>> take_rlp_list(std::span<const std::uint8_t>& from)
{
    if (from.empty() || from.front() < list_base)
        return fail(errc::invalid, "RLP: expected a list");
    return take_body(from, list_base);
}

result<std::span<const std::uint8_t>> take_rlp(std::span<const std::uint8_t>& from)
{
    if (from.empty() || from.front() >= list_base)
        return fail(errc::invalid, "RLP: expected a string");
    if (from.front() < string_base)
    {
        const auto itself = from.first(1);
        from = from.subspan(1);
        return itself;
    }
    return take_body(from, string_base);
}

}  // namespace portitor::evm
