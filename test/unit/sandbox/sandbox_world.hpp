#pragma once

#include "catch.hpp"
#include "manual_timekeeper.hpp"
#include "run.hpp"
#include "sandbox/api.hpp"

#include <portitor/kube/object_reader.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/json/parse.hpp>

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace Catch {

template <typename T, typename E>
struct StringMaker<boost::system::result<T, E>>
{
    static std::string convert(const boost::system::result<T, E>& of)
    {
        return of ? "a value" : "error: " + of.error().message();
    }
};

}  // namespace Catch

namespace portitor::sandbox::samples {

inline constexpr kube::resource widgets{"test.example", "v1", "widgets", "Widget"};
inline constexpr kube::resource notes{"", "v1", "notes", "Note"};
inline constexpr kube::resource zones{"test.example", "v1", "zones", "Zone"};

/// A wall clock that stands still.
class fixed_clock final : public clock
{
public:
    time_point now() const override { return from_rfc3339("2026-11-24T20:17:00Z"); }
};

/// A widget (with a status), a note (without), or whatever the text says.
inline boost::json::object parsed(const std::string& text)
{
    return boost::json::parse(text).as_object();
}

inline boost::json::object widget(const std::string& name, const std::string& spec = R"({"size":1})")
{
    return parsed(
        R"({"apiVersion":"test.example/v1","kind":"Widget","metadata":{"namespace":"default","name":")" +
        name + R"("},"spec":)" + spec + "}"
    );
}

inline kube::object_key key(const std::string& name)
{
    return {"default", name};
}

inline kube::apply_options as(const std::string& manager, bool force = false)
{
    kube::apply_options how;
    how.field_manager = manager;
    how.force = force;
    return how;
}

/// A server, a client of it, and time that stands still.
struct sandbox_world
{
    explicit sandbox_world(storage_limits limits = {}) : server(context.get_executor(), time, wall, limits)
    {
        server.storage().add_kind(make_kind(widgets, true));
        server.storage().add_kind(make_kind(notes));
        kind_info zone = make_kind(zones);
        zone.namespaced = false;
        server.storage().add_kind(zone);
    }

    test::manual_timekeeper time;
    fixed_clock wall;
    metrics numbers;
    boost::asio::io_context context;
    sandbox::server server;
    api client_of_server{server, numbers};
    kube::api& client = client_of_server;

    /// Runs all that is ready, and what that makes ready.
    void settle()
    {
        context.restart();
        while (context.poll() > 0)
        {}
    }

    template <typename T>
    T run(boost::asio::awaitable<T> work)
    {
        return test::run(context, std::move(work));
    }

    kube::api_result<kube::object_ptr> apply(boost::json::object wanted, kube::apply_options how)
    {
        return run(client.apply(widgets, std::move(wanted), std::move(how)));
    }
    kube::object_ptr create(boost::json::object wanted, const kube::resource& kind = widgets)
    {
        return run(client.create(kind, std::move(wanted), kube::request_class::normal)).value();
    }
    kube::object_ptr live(const std::string& name) { return run(client.get(widgets, key(name))).value(); }
    bool exists(const std::string& name) { return run(client.get(widgets, key(name))).has_value(); }
    kube::api_result<kube::object_ptr> patch(const std::string& name, const std::string& operations)
    {
        return run(client.patch(widgets, key(name), boost::json::parse(operations).as_array()));
    }
    kube::api_result<void> remove(const std::string& name, kube::delete_options which = {})
    {
        return run(client.remove(widgets, key(name), std::move(which)));
    }

    /// The names on one page.
    kube::api_result<kube::list_page>
    list(std::vector<std::string>& names, kube::list_position from = {}, kube::selection which = {})
    {
        kube::item_handler each = [&](boost::json::object&& item, std::string_view) -> result<void> {
            names.push_back(kube::string_at(item, "metadata.name"));
            return {};
        };
        return run(client.list(widgets, std::move(which), std::move(from), std::move(each)));
    }

    std::unique_ptr<http::body_stream> watch(
        const std::string& version,
        kube::selection which = {},
        std::chrono::seconds timeout = std::chrono::hours(1)
    )
    {
        return run(client.watch(widgets, std::move(which), version, timeout)).value();
    }
    /// What a watch says next: "ADDED a", one for each event; or its error.
    std::vector<std::string> read(http::body_stream& stream)
    {
        const auto piece = run(stream.read_some(std::chrono::seconds(30)));
        std::vector<std::string> out;
        if (!piece)
        {
            out.push_back(to_string(piece.error().code()));
            return out;
        }
        const auto each = [&](std::string_view type, boost::json::object&& of, std::string_view
                          ) -> result<void> {
            const std::string name = kube::string_at(of, "metadata.name");
            const std::string what = name.empty() ? kube::string_at(of, "reason") : name;
            out.push_back(std::string(type) + (what.empty() ? "" : " " + what));
            return {};
        };
        kube::event_reader(each).feed(*piece).value();
        return out;
    }
};

}  // namespace portitor::sandbox::samples
