#include "fuzz.hpp"

#include <portitor/kube/object_reader.hpp>

#include <boost/json/serialize.hpp>

#include <string>

using namespace portitor;

namespace {

// What a list and a watch make of bytes that come in pieces of one size.
std::string reading(std::string_view bytes, std::size_t piece)
{
    std::string out;
    kube::list_reader list([&](boost::json::object&& item, std::string_view cut) {
        out.append(boost::json::serialize(item)).append(cut);
        return result<void>();
    });
    std::string events;
    kube::event_reader watch([&](std::string_view type, boost::json::object&& object, std::string_view cut) {
        events.append(type).append(boost::json::serialize(object)).append(cut);
        return result<void>();
    });
    bool good_list = true;
    bool good_watch = true;
    for (; !bytes.empty(); bytes.remove_prefix(std::min(piece, bytes.size())))
    {
        good_list = good_list && list.feed(bytes.substr(0, piece)).has_value();
        good_watch = good_watch && watch.feed(bytes.substr(0, piece)).has_value();
    }
    good_list = good_list && list.finish().has_value();
    return out + (good_list ? "|list|" : "|none|") + events + (good_watch ? "+" : "-");
}

}  // namespace

// How the network cuts the text must not matter.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const auto bytes = fuzz::text_of(data, size);
    const std::string whole = reading(bytes, std::max<std::size_t>(size, 1));
    fuzz::require(whole == reading(bytes, 1));
    fuzz::require(whole == reading(bytes, 7));
    return 0;
}
