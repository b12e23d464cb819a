#include "cli/once/files.hpp"

#include "cli/yaml.hpp"

#include <portitor/api/resources.hpp>

#include <boost/json/array.hpp>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <istream>
#include <map>

namespace portitor::cli::once {

namespace json = boost::json;
namespace fs = std::filesystem;

namespace {

constexpr std::size_t longest_file = std::size_t{64} << 20;

result<std::vector<std::string>> files_of(const std::string& path)
{
    std::error_code wrong;
    if (path == "-" || !fs::is_directory(path, wrong))
        return std::vector{path};
    std::vector<std::string> out;
    for (fs::directory_iterator at(path, wrong), end; !wrong && at != end; at.increment(wrong))
    {
        const std::string kind = at->path().extension().string();
        if (kind == ".yaml" || kind == ".yml" || kind == ".json")
            out.push_back(at->path().string());
    }
    if (wrong)
        return fail(errc::invalid, "{}: {}", path, wrong.message());
    if (out.empty())
        return fail(errc::not_found, "{} holds no *.yaml, *.yml or *.json", path);
    std::sort(out.begin(), out.end());
    return out;
}

class collector
{
public:
    collector(written_offers& into, const std::string& default_namespace)
        : into_(into), default_namespace_(default_namespace)
    {}

    void take(json::value document, const std::string& from)
    {
        json::object* object = document.if_object();
        if (!object)
            return;
        if (kube::string_at(*object, "kind") == api::service_offer_resource.kind)
            return take_offer(std::move(*object), from);
        json::value* items = object->if_contains("items");
        if (!items || !items->is_array())
            return;
        for (json::value& each : items->get_array())
            take(std::move(each), from);
    }

private:
    void take_offer(json::object offer, const std::string& from)
    {
        json::object* meta = offer["metadata"].if_object();
        const json::value* name = meta ? meta->if_contains("name") : nullptr;
        if (!name || !name->is_string() || name->get_string().empty())
        {
            into_.errors.push_back(fmt::format("{}: a ServiceOffer without metadata.name", from));
            return;
        }
        if (!meta->contains("namespace"))
            (*meta)["namespace"] = default_namespace_;
        const kube::object_key key{
            kube::string_at(offer, "metadata.namespace"), kube::string_at(offer, "metadata.name")};
        const auto [at, is_new] = places_.try_emplace(key, from);
        if (is_new)
            into_.offers.push_back({std::move(offer), from});
        else
            into_.errors.push_back(
                fmt::format("{}: ServiceOffer {} stands in {} already", from, key.to_string(), at->second)
            );
    }

    written_offers& into_;
    const std::string& default_namespace_;
    std::map<kube::object_key, std::string> places_;
};

}  // namespace

result<std::string> read_text(const std::string& path, std::istream& standard_input)
{
    std::ifstream file;
    if (path != "-")
    {
        file.open(path, std::ios::binary);
        // A directory opens, and fails when read; an empty file does neither.
        file.peek();
        if (!file.is_open() || file.bad())
            return fail(errc::not_found, "{} cannot be read", path);
        file.clear();
    }
    std::istream& in = path == "-" ? standard_input : file;
    std::string text;
    std::array<char, 65536> piece{};
    while (in.read(piece.data(), piece.size()) || in.gcount() > 0)
    {
        text.append(piece.data(), static_cast<std::size_t>(in.gcount()));
        if (text.size() > longest_file)
            return fail(errc::invalid, "{} is longer than 64 MiB", path);
    }
    return text;
}

written_offers read_offers(
    const std::vector<std::string>& paths, std::istream& standard_input, const std::string& default_namespace
)
{
    written_offers out;
    collector into(out, default_namespace);
    for (const std::string& path : paths)
    {
        const auto files = files_of(path);
        if (!files)
        {
            out.errors.push_back(files.error().message());
            continue;
        }
        for (const std::string& file : *files)
        {
            const auto text = read_text(file, standard_input);
            auto documents = text ? parse_yaml(*text) : result<std::vector<json::value>>(text.error());
            if (!documents)
                out.errors.push_back(
                    text ? documents.error().within(file).message() : documents.error().message()
                );
            for (json::value& each : documents ? *documents : std::vector<json::value>())
                into.take(std::move(each), file);
        }
    }
    return out;
}

}  // namespace portitor::cli::once
