#include "fake_server.hpp"

#include "sandbox/watch_text.hpp"
#include "widget_kinds.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>

namespace portitor::test {

namespace asio = boost::asio;
namespace json = boost::json;
using asio::ip::tcp;
using kube::object_key;

namespace {

const std::string widgets_kind = widget_kind().id();

std::string lower(std::string text)
{
    std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
    return text;
}

std::string decode(std::string_view text)
{
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i)
    {
        if (text[i] == '%' && i + 2 < text.size())
        {
            out += static_cast<char>(std::stoi(std::string(text.substr(i + 1, 2)), nullptr, 16));
            i += 2;
        }
        else
            out += text[i];
    }
    return out;
}

std::vector<std::string> split(std::string_view text, std::string_view by)
{
    std::vector<std::string> out;
    for (;;)
    {
        const auto at = text.find(by);
        out.emplace_back(text.substr(0, at));
        if (at == text.npos)
            return out;
        text.remove_prefix(at + by.size());
    }
}

fake_request parse(const std::string& message)
{
    fake_request out;
    const auto end = message.find("\r\n\r\n");
    out.body = message.substr(end + 4);
    const auto lines = split(std::string_view(message).substr(0, end), "\r\n");
    const auto words = split(lines.front(), " ");
    out.method = words.at(0);
    const auto target = split(words.at(1), "?");
    out.path = target.at(0);
    if (target.size() > 1)
    {
        for (const std::string& each : split(target[1], "&"))
        {
            const auto at = each.find('=');
            out.query[each.substr(0, at)] = decode(each.substr(at + 1));
        }
    }
    for (std::size_t i = 1; i < lines.size(); ++i)
    {
        const auto at = lines[i].find(": ");
        out.headers[lower(lines[i].substr(0, at))] = lines[i].substr(at + 2);
    }
    return out;
}

/// What a path names: "group/version/plural", the object, and its subresource.
struct place
{
    std::string kind;
    object_key key;
    std::string part;
};

place find_place(const std::string& path)
{
    auto parts = split(path, "/");
    for (std::string& each : parts)
        each = decode(each);
    place out;
    std::size_t at = 2;
    std::string group;
    if (parts.at(1) == "apis")
        group = parts.at(at++);
    const std::string version = parts.at(at++);
    if (at + 2 < parts.size() && parts[at] == "namespaces")
    {
        out.key.ns = parts[at + 1];
        at += 2;
    }
    out.kind = group + "/" + version + "/" + parts.at(at++);
    if (at < parts.size())
        out.key.name = parts[at++];
    if (at < parts.size())
        out.part = parts[at];
    return out;
}

bool wants_metadata_only(const fake_request& request)
{
    return request.header("accept").find("as=PartialObjectMetadata") != std::string::npos;
}

result<kube::object_predicate> selected_by(const fake_request& request)
{
    return kube::make_predicate(
        find_place(request.path).key.ns,
        request.parameter("labelSelector"),
        request.parameter("fieldSelector")
    );
}

std::string chunk(std::string_view bytes)
{
    return fmt::format("{:x}\r\n{}\r\n", bytes.size(), bytes);
}

// Some cases send what no API server stores.
sandbox::storage_limits generous_limits()
{
    sandbox::storage_limits out;
    out.object_bytes = 64 * 1024 * 1024;
    return out;
}

const std::string stream_head =
    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";

}  // namespace

std::string fake_request::parameter(const std::string& name) const
{
    const auto at = query.find(name);
    return at == query.end() ? std::string() : at->second;
}

std::string fake_request::header(const std::string& name) const
{
    const auto at = headers.find(name);
    return at == headers.end() ? std::string() : at->second;
}

fake_answer whole_answer(
    unsigned code, const std::string& body, const std::string& more_headers, const std::string& content_type
)
{
    fake_answer out;
    out.bytes = fmt::format(
        "HTTP/1.1 {} Said\r\nContent-Type: {}\r\nContent-Length: {}\r\n{}\r\n{}",
        code,
        content_type,
        body.size(),
        more_headers,
        body
    );
    return out;
}

fake_answer
status_answer(unsigned code, std::string_view reason, const std::string& more_headers, json::array causes)
{
    const sandbox::answer said =
        sandbox::refusal(code, reason, "because the test says so", std::move(causes));
    return whole_answer(code, json::serialize(said.body), more_headers);
}

fake_server::fake_server(asio::io_context& context, timekeeper& time)
    : storage(wall, generous_limits(), [this] { wake(); }), context_(context), time_(time),
      acceptor_(context), thaw_(time.make_timer(context.get_executor())),
      tasks_(context.get_executor(), logger(log_level::error, log_format::text))
{
    add_kinds(storage);
    folder_.write("token", "token-1\n");
    listen();
}

fake_server::~fake_server() = default;

bool fake_server::can(ability what) const
{
    return what == ability::fast_time || what == ability::history_after_restart || what == ability::bytes;
}

std::string fake_server::write_kubeconfig(const std::string& name, const std::string& user) const
{
    return folder_.write(
        name,
        fmt::format(
            "apiVersion: v1\nkind: Config\n"
            "clusters: [{{name: c, cluster: {{server: \"http://127.0.0.1:{}\"}}}}]\n"
            "users: [{{name: u, user: {{{}}}}}]\n"
            "contexts: [{{name: x, context: {{cluster: c, user: u}}}}]\ncurrent-context: x\n",
            port_,
            user
        )
    );
}

std::string fake_server::kubeconfig()
{
    return write_kubeconfig("admin.kubeconfig", "token: admin");
}

std::string fake_server::token_kubeconfig()
{
    return write_kubeconfig("token.kubeconfig", "tokenFile: token");
}

void fake_server::listen()
{
    const tcp::endpoint where(asio::ip::address_v4::loopback(), port_);
    acceptor_.open(tcp::v4());
    acceptor_.set_option(asio::socket_base::reuse_address(true));
    acceptor_.bind(where);
    acceptor_.listen();
    port_ = acceptor_.local_endpoint().port();
    tasks_.spawn("accept", accept(++generation_));
}

asio::awaitable<void> fake_server::stop()
{
    ++generation_;
    frozen_ = false;
    acceptor_.close();
    for (const auto& each : lines_)
    {
        if (const auto held = each.lock())
            held->reset();
    }
    lines_.clear();
    wake();
    co_return;
}

asio::awaitable<void> fake_server::start()
{
    listen();
    co_return;
}

asio::awaitable<void> fake_server::freeze()
{
    frozen_ = true;
    co_return;
}

asio::awaitable<void> fake_server::thaw()
{
    frozen_ = false;
    wake();
    co_return;
}

asio::awaitable<void> fake_server::compact()
{
    co_await stop();
    storage.compact();
    co_await start();
}

asio::awaitable<void> fake_server::drop_kind()
{
    storage.drop_kind(widgets_kind);
    co_return;
}

asio::awaitable<void> fake_server::add_kind()
{
    storage.add_kind(widget_kind());
    co_return;
}

asio::awaitable<void> fake_server::rotate_token()
{
    const std::string fresh = "token-" + std::to_string(++last_token_);
    folder_.write("token", fresh + "\n");
    tokens_ = {"admin", fresh};
    co_return;
}

asio::awaitable<void> fake_server::remove_unseen(object_key widget)
{
    storage.remove(widgets_kind, widget);
    co_return;
}

void fake_server::answer(predicate which, fake_answer with, int times)
{
    rules_.push_back({std::move(which), std::move(with), times});
}

void fake_server::say(const std::string& line)
{
    for (open_watch& each : watches_)
        each.lines.push_back(line + "\n");
    wake();
}

void fake_server::bookmark()
{
    for (open_watch& each : watches_)
        each.lines.push_back(sandbox::bookmark_line(widget_kind(), storage.version()));
    wake();
}

void fake_server::end_watches()
{
    for (open_watch& each : watches_)
        each.ended = true;
    wake();
}

void fake_server::break_watches(const std::string& last_bytes)
{
    for (open_watch& each : watches_)
        each.last_bytes = last_bytes;
    wake();
}

std::size_t fake_server::count(const predicate& which) const
{
    return static_cast<std::size_t>(std::count_if(seen_.begin(), seen_.end(), which));
}

asio::awaitable<void> fake_server::close()
{
    co_await stop();
    tasks_.cancel();
    co_await tasks_.join();
}

void fake_server::wake()
{
    if (thaw_)
        thaw_->cancel();
    for (const open_watch& each : watches_)
    {
        if (each.signal)
            each.signal->cancel();
    }
}

asio::awaitable<void> fake_server::thawed()
{
    while (frozen_)
        co_await thaw_->wait();
}

asio::awaitable<void> fake_server::accept(unsigned generation)
{
    while (generation == generation_)
    {
        auto [ec, socket] = co_await acceptor_.async_accept(as_result);
        if (ec)
            co_return;
        socket.set_option(tcp::no_delay(true));
        auto line = std::make_shared<wire>(std::move(socket));
        std::erase_if(lines_, [](const auto& each) { return each.expired(); });
        lines_.push_back(line);
        tasks_.spawn("connection", serve(std::move(line), generation));
    }
}

asio::awaitable<void> fake_server::serve(std::shared_ptr<wire> line, unsigned generation)
{
    for (bool open = true; open && generation == generation_;)
    {
        const std::string message = co_await line->read_message();
        if (message.empty())
            co_return;
        co_await thawed();
        if (generation != generation_)
            co_return;
        seen_.push_back(parse(message));
        const fake_request request = seen_.back();
        open = co_await answer_one(*line, request, generation);
    }
    line->close();
}

asio::awaitable<bool> fake_server::answer_one(wire& line, const fake_request& request, unsigned generation)
{
    for (auto at = rules_.begin(); at != rules_.end(); ++at)
    {
        if (!at->which(request))
            continue;
        fake_answer with = at->with;
        if (--at->times == 0)
            rules_.erase(at);
        const bool open = co_await carry_out(line, std::move(with), generation);
        co_return open;
    }
    const std::string shown_token = request.header("authorization");
    if (!shown_token.starts_with("Bearer ") || !tokens_.contains(shown_token.substr(7)))
    {
        const bool open = co_await carry_out(line, status_answer(401, "Unauthorized"), generation);
        co_return open;
    }
    const place where = find_place(request.path);
    if (!storage.knows(where.kind))
    {
        fake_answer none = whole_answer(404, "404 page not found\n", "", "text/plain; charset=utf-8");
        const bool open = co_await carry_out(line, std::move(none), generation);
        co_return open;
    }
    if (const auto selected = selected_by(request); !selected)
    {
        const sandbox::answer bad = sandbox::refusal(400, "BadRequest", selected.error().message());
        const bool open =
            co_await carry_out(line, whole_answer(bad.code, json::serialize(bad.body)), generation);
        co_return open;
    }
    if (request.is_watch())
    {
        const bool open = co_await send_watch(line, where.kind, request, generation);
        co_return open;
    }
    if (request.method == "GET" && where.key.name.empty())
    {
        const bool open = co_await send_list(line, where.kind, request);
        co_return open;
    }
    const sandbox::answer done = answer_to(where.kind, where.key, where.part, request);
    fake_answer out = whole_answer(done.code, json::serialize(done.body));
    const bool open = co_await carry_out(line, std::move(out), generation);
    co_return open;
}

asio::awaitable<bool> fake_server::carry_out(wire& line, fake_answer what, unsigned generation)
{
    const bool sent = co_await line.send(std::move(what.bytes));
    switch (what.then)
    {
    case fake_answer::after::keep:
        break;
    case fake_answer::after::close:
        line.close();
        co_return false;
    case fake_answer::after::reset:
        line.reset();
        co_return false;
    case fake_answer::after::silent:
        co_await line.read_to_end();
        co_return false;
    }
    co_return sent&& generation == generation_;
}

sandbox::answer fake_server::answer_to(
    const std::string& kind, const object_key& key, const std::string& part, const fake_request& request
)
{
    const std::string agent = request.header("user-agent");
    const std::string manager = agent.substr(0, agent.find('/'));
    if (request.method == "GET")
        return storage.get(kind, key);
    const json::value body = json::parse(request.body);
    if (request.method == "POST")
        return storage.create(kind, key.ns, body.as_object(), manager);
    if (request.method == "PUT")
        return storage.replace(kind, key, body.as_object(), manager);
    if (request.method == "DELETE")
        return storage.remove(kind, key, body.as_object());
    if (request.header("content-type") == "application/json-patch+json")
        return storage.patch(kind, key, body.as_array(), manager);
    kube::apply_options how;
    how.field_manager = request.parameter("fieldManager");
    how.subresource = part;
    how.force = request.parameter("force") == "true";
    how.dry_run = request.parameter("dryRun") == "All";
    return storage.apply(kind, key, body.as_object(), how);
}

asio::awaitable<bool> fake_server::send_streamed(wire& line, std::string head, std::string body, bool end)
{
    // With pieces, even the header comes in two.
    std::string bytes = std::move(head);
    const std::size_t size = shape.piece == 0 ? std::max<std::size_t>(body.size(), 1) : shape.piece;
    for (std::size_t at = 0; at < body.size(); at += size)
    {
        bytes += chunk(std::string_view(body).substr(at, size));
        if (shape.piece == 0)
            continue;
        co_await thawed();
        std::string piece = std::exchange(bytes, {});
        const bool sent = co_await line.send(std::move(piece));
        if (!sent)
            co_return false;
        if (shape.between.count() > 0)
            co_await time_.sleep_for(shape.between);
    }
    if (end)
        bytes += "0\r\n\r\n";
    co_await thawed();
    const bool sent = co_await line.send(std::move(bytes));
    co_return sent;
}

asio::awaitable<bool> fake_server::send_list(wire& line, const std::string& kind, const fake_request& request)
{
    const kube::list_position from{request.parameter("resourceVersion"), request.parameter("continue")};
    const sandbox::stored_page found =
        storage.list(kind, selected_by(request).value(), from, std::stoul(request.parameter("limit")));
    if (found.refused)
    {
        fake_answer out = whole_answer(found.refused->code, json::serialize(found.refused->body));
        const bool open = co_await line.send(std::move(out.bytes));
        co_return open;
    }

    json::object meta{{"resourceVersion", std::to_string(found.version)}};
    json::array items;
    for (const auto& each : found.items)
        items.push_back(sandbox::shown(*each, wants_metadata_only(request)));
    if (!found.continue_token.empty())
    {
        meta["continue"] = found.continue_token;
        meta["remainingItemCount"] = found.remaining;
    }
    json::object page;
    page["apiVersion"] = storage.find_kind(kind)->api_version();
    page["kind"] = "List";
    page["metadata"] = std::move(meta);
    page["items"] = std::move(items);
    const bool sent = co_await send_streamed(line, stream_head, json::serialize(page) + "\n", true);
    co_return sent;
}

asio::awaitable<bool>
fake_server::send_watch(wire& line, const std::string& kind, const fake_request& request, unsigned generation)
{
    const std::uint64_t from = std::stoull(request.parameter("resourceVersion"));
    if (from > storage.version())
    {
        const sandbox::answer refused = sandbox::too_large(request.parameter("resourceVersion"));
        fake_answer out = whole_answer(refused.code, json::serialize(refused.body));
        const bool open = co_await line.send(std::move(out.bytes));
        co_return open;
    }
    if (from < storage.oldest())
    {
        // What the watch cache does: the header is out before it knows.
        const sandbox::answer old = sandbox::too_old("too old resource version");
        std::string text = sandbox::event_line("ERROR", old.body);
        const bool sent = co_await send_streamed(line, stream_head, std::move(text), true);
        co_return sent;
    }
    watches_.emplace_back();
    const auto state = std::prev(watches_.end());
    const auto signal = time_.make_timer(context_.get_executor());
    state->signal = signal.get();
    bool open = false;
    // A cancellation ends the follower, too, but must not leave the watch behind.
    std::exception_ptr thrown;
    try
    {
        open = co_await follow(line, *state, kind, request, generation);
    }
    catch (...)
    {
        thrown = std::current_exception();
    }
    watches_.erase(state);
    if (thrown)
        std::rethrow_exception(thrown);
    co_return open;
}

asio::awaitable<bool> fake_server::follow(
    wire& line, open_watch& state, const std::string& kind, const fake_request& request, unsigned generation
)
{
    const auto which = selected_by(request).value();
    const bool metadata_only = wants_metadata_only(request);
    const auto end = time_.now() + std::chrono::seconds(std::stoi(request.parameter("timeoutSeconds")));
    std::uint64_t seen = std::stoull(request.parameter("resourceVersion"));
    bool good = co_await line.send(stream_head);
    while (good && generation == generation_)
    {
        if (const sandbox::stored_change* next = storage.next_change(seen))
        {
            seen = next->version;
            std::string text =
                next->kind == kind ? sandbox::change_line(*next, which, metadata_only) : std::string();
            if (!text.empty())
                good = co_await send_streamed(line, "", std::move(text), false);
            continue;
        }
        if (!state.lines.empty())
        {
            std::string text = std::move(state.lines.front());
            state.lines.pop_front();
            good = co_await send_streamed(line, "", std::move(text), false);
            continue;
        }
        if (state.last_bytes)
        {
            const std::string last = *state.last_bytes;
            if (!last.empty())
                co_await line.send(chunk(last));
            co_return false;
        }
        if (state.ended || time_.now() >= end || !storage.knows(kind))
        {
            good = co_await line.send("0\r\n\r\n");
            co_return good;
        }
        state.signal->expires_at(end);
        co_await state.signal->wait();
        co_await thawed();
    }
    co_return false;
}

}  // namespace portitor::test
