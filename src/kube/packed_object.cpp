#include <portitor/kube/packed_object.hpp>

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

#include <cstring>

namespace portitor::kube {

namespace json = boost::json;

namespace {

// Names are kept for ever: a longer one is no field of anything, but what somebody made up.
constexpr std::size_t longest_name = 64;

enum class kind : char
{
    null,
    no,
    yes,
    signed_integer,
    unsigned_integer,
    real,
    text,
    list,
    object,
};

std::string_view view(const json::string& text)
{
    return {text.data(), text.size()};
}

/// Appends values to bytes. Every number of bytes, members or elements comes before them.
class writer
{
public:
    writer(std::string& out, member_names& names) : out_(out), names_(names) {}

    void add(const json::value& value)
    {
        switch (value.kind())
        {
        case json::kind::null:
            return add(kind::null);
        case json::kind::bool_:
            return add(value.get_bool() ? kind::yes : kind::no);
        case json::kind::int64:
            add(kind::signed_integer);
            return add_raw(value.get_int64());
        case json::kind::uint64:
            add(kind::unsigned_integer);
            return add_raw(value.get_uint64());
        case json::kind::double_:
            add(kind::real);
            return add_raw(value.get_double());
        case json::kind::string:
            add(kind::text);
            return add_text(view(value.get_string()));
        case json::kind::array:
            add(kind::list);
            add_size(value.get_array().size());
            for (const json::value& each : value.get_array())
                add(each);
            return;
        case json::kind::object:
            add(kind::object);
            return add(value.get_object());
        }
    }

    void add(const json::object& object)
    {
        add_size(object.size());
        for (const auto& [key, value] : object)
        {
            const std::string_view name(key.data(), key.size());
            const std::uint32_t number = names_.number_of(name);
            add_size(number);
            if (number == 0)
                add_text(name);
            add(value);
        }
    }

private:
    void add(kind of) { out_ += static_cast<char>(of); }

    void add_text(std::string_view text)
    {
        add_size(text.size());
        out_ += text;
    }

    // Seven bits a byte, the lowest first.
    void add_size(std::size_t size)
    {
        for (; size > 0x7f; size >>= 7)
            out_ += static_cast<char>(0x80 | (size & 0x7f));
        out_ += static_cast<char>(size);
    }

    template <typename Number>
    void add_raw(Number number)
    {
        char bytes[sizeof number];
        std::memcpy(bytes, &number, sizeof number);
        out_.append(bytes, sizeof number);
    }

    std::string& out_;
    member_names& names_;
};

/// Reads what a writer has written.
class reader
{
public:
    reader(std::string_view left, const member_names& names) : left_(left), names_(names) {}

    json::object take_object()
    {
        json::object out;
        const std::size_t size = take_size();
        out.reserve(size);
        for (std::size_t i = 0; i < size; ++i)
        {
            const std::size_t number = take_size();
            const std::string_view name =
                number == 0 ? take_text() : names_.name_of(static_cast<std::uint32_t>(number));
            out.emplace(json::string_view(name.data(), name.size()), take());
        }
        return out;
    }

private:
    json::value take()
    {
        switch (static_cast<kind>(take_bytes(1).front()))
        {
        case kind::null:
            break;
        case kind::no:
            return false;
        case kind::yes:
            return true;
        case kind::signed_integer:
            return take_raw<std::int64_t>();
        case kind::unsigned_integer:
            return take_raw<std::uint64_t>();
        case kind::real:
            return take_raw<double>();
        case kind::text: {
            const std::string_view text = take_text();
            return json::string_view(text.data(), text.size());
        }
        case kind::list: {
            json::array list;
            const std::size_t size = take_size();
            list.reserve(size);
            for (std::size_t i = 0; i < size; ++i)
                list.push_back(take());
            return list;
        }
        case kind::object:
            return take_object();
        }
        return nullptr;
    }

    std::string_view take_text() { return take_bytes(take_size()); }

    std::size_t take_size()
    {
        std::size_t out = 0;
        for (unsigned shift = 0;; shift += 7)
        {
            const auto byte = static_cast<unsigned char>(take_bytes(1).front());
            out |= std::size_t(byte & 0x7f) << shift;
            if (byte <= 0x7f)
                return out;
        }
    }

    template <typename Number>
    Number take_raw()
    {
        Number out{};
        const std::string_view bytes = take_bytes(sizeof out);
        std::memcpy(&out, bytes.data(), bytes.size());
        return out;
    }

    std::string_view take_bytes(std::size_t count)
    {
        const std::string_view out = left_.substr(0, count);
        left_.remove_prefix(count);
        return out;
    }

    std::string_view left_;
    const member_names& names_;
};

}  // namespace

std::uint32_t member_names::number_of(std::string_view name)
{
    if (name.size() > longest_name)
        return 0;
    const auto known = numbers_.find(name);
    if (known != numbers_.end())
        return known->second;
    if (names_.size() == most)
        return 0;
    names_.emplace_back(name);
    const auto number = static_cast<std::uint32_t>(names_.size());
    numbers_.emplace(names_.back(), number);
    return number;
}

result<packed_ptr> pack(json::object&& raw, member_names& names, const std::string& unreadable)
{
    auto meta = parse_meta(raw);
    if (!meta)
        return meta.error();
    if (json::value* kept = raw.if_contains("metadata"); kept && kept->is_object())
        kept->get_object().erase("managedFields");
    std::string bytes;
    writer(bytes, names).add(raw);
    auto out = std::make_shared<packed_object>();
    out->meta = std::move(*meta);
    out->bytes = std::string(std::string_view(bytes));  // of its size, not of its capacity
    if (!unreadable.empty())
        out->unreadable = std::make_unique<const std::string>(unreadable);
    return packed_ptr(std::move(out));
}

packed_ptr pack_identity(const object_identity& which, member_names& names, const std::string& unreadable)
{
    const json::object metadata{
        {"namespace", which.ns},
        {"name", which.name},
        {"uid", which.uid},
        {"resourceVersion", which.resource_version},
        {"generation", which.generation},
    };
    return pack({{"metadata", metadata}}, names, unreadable).value();
}

object_ptr unpack(const packed_ptr& packed, const member_names& names)
{
    if (!packed)
        return nullptr;
    auto out = parse_unreadable(
        reader(packed->bytes, names).take_object(), packed->unreadable ? *packed->unreadable : std::string()
    );
    return out ? std::move(*out) : nullptr;
}

}  // namespace portitor::kube
