#include <portitor/evm/abi.hpp>
#include <portitor/evm/eip712.hpp>

#include <algorithm>
#include <utility>

namespace portitor::evm {

namespace {

constexpr std::size_t word_size = sizeof(word);

void append(bytes& to, std::span<const std::uint8_t> what)
{
    to.insert(to.end(), what.begin(), what.end());
}

result<word> word_at(std::span<const std::uint8_t> data, std::size_t offset)
{
    if (data.size() < word_size || offset > data.size() - word_size)
        return fail(errc::protocol, "ABI: {} bytes end before a value", data.size());
    word out{};
    std::copy_n(data.begin() + static_cast<std::ptrdiff_t>(offset), word_size, out.begin());
    return out;
}

/// A word that counts bytes of `data`.
result<std::size_t> size_at(std::span<const std::uint8_t> data, std::size_t offset)
{
    const auto read = word_at(data, offset);
    if (!read)
        return read.error();
    const u256 number = number_of(*read);
    if (number > data.size())
        return fail(errc::protocol, "ABI: an offset or a length goes past the end of {} bytes", data.size());
    return static_cast<std::size_t>(number);
}

}  // namespace

abi_values& abi_values::add(const u256& number)
{
    slots_.push_back({to_word(number)});
    return *this;
}

abi_values& abi_values::add(const address& account)
{
    slots_.push_back({to_word(account)});
    return *this;
}

abi_values& abi_values::add_string(std::string_view text)
{
    return add_bytes({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
}

abi_values& abi_values::add_bytes(std::span<const std::uint8_t> content)
{
    bytes tail;
    append(tail, to_word(u256(content.size())));
    append(tail, content);
    tail.resize((tail.size() + word_size - 1) / word_size * word_size);
    add_dynamic(std::move(tail));
    return *this;
}

abi_values& abi_values::add_tuple(const abi_values& members)
{
    add_dynamic(members.encode());
    return *this;
}

abi_values& abi_values::add_array(const abi_values& elements)
{
    bytes tail;
    append(tail, to_word(u256(elements.slots_.size())));
    append(tail, elements.encode());
    add_dynamic(std::move(tail));
    return *this;
}

void abi_values::add_dynamic(bytes tail)
{
    slots_.push_back({{}, std::move(tail), true});
}

bytes abi_values::encode() const
{
    bytes out;
    std::size_t end = slots_.size() * word_size;
    for (const slot& each : slots_)
    {
        append(out, each.is_dynamic ? to_word(u256(end)) : each.head);
        end += each.tail.size();
    }
    for (const slot& each : slots_)
        append(out, each.tail);
    return out;
}

bytes call_data(std::string_view signature, const abi_values& arguments)
{
    constexpr std::size_t selector_size = 4;
    const word hash = keccak256(signature);
    bytes out(hash.begin(), hash.begin() + selector_size);
    append(out, arguments.encode());
    return out;
}

result<u256> abi_number(std::span<const std::uint8_t> data, std::size_t slot)
{
    const auto read = word_at(data, slot * word_size);
    return read ? result<u256>(number_of(*read)) : read.error();
}

result<address> abi_address(std::span<const std::uint8_t> data, std::size_t slot)
{
    const auto read = word_at(data, slot * word_size);
    return read ? address_of(*read) : read.error();
}

result<std::string> abi_string(std::span<const std::uint8_t> data, std::size_t slot)
{
    const auto begin = size_at(data, slot * word_size);
    if (!begin)
        return begin.error();
    const auto size = size_at(data, *begin);
    if (!size)
        return size.error();
    const auto rest = data.subspan(*begin + word_size);
    if (*size > rest.size())
        return fail(errc::protocol, "ABI: a text goes past the end of {} bytes", data.size());
    return std::string(reinterpret_cast<const char*>(rest.data()), *size);
}

result<address> address_of(const word& from)
{
    address::bytes_type out{};
    const auto begin = from.end() - static_cast<std::ptrdiff_t>(out.size());
    if (std::any_of(from.begin(), begin, [](std::uint8_t each) { return each != 0; }))
        return fail(errc::protocol, "ABI: a word that should hold an address does not");
    std::copy(begin, from.end(), out.begin());
    return address(out);
}

u256 number_of(const word& from)
{
    u256 out;
    boost::multiprecision::import_bits(out, from.begin(), from.end());
    return out;
}

}  // namespace portitor::evm
