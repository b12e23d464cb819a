#include "cli/once/dry_run.hpp"

namespace portitor::cli::once {

namespace asio = boost::asio;
namespace json = boost::json;

namespace {

constexpr std::string_view owned_by_another = "FieldManagerConflict";
constexpr std::string_view no_namespace = "namespaces \"";

// "conflict with "kubectl-edit" using gateway.networking.k8s.io/v1" names the manager in quotes.
std::string manager_in(const std::string& message)
{
    const std::size_t begin = message.find('"');
    const std::size_t end = begin == message.npos ? begin : message.find('"', begin + 1);
    return end == message.npos ? message : message.substr(begin + 1, end - begin - 1);
}

bool may_not_be_asked(const kube::api_error& said)
{
    return said.http_status() == 403 || (said.is_not_found() && said.message().starts_with(no_namespace));
}

std::vector<dispute> disputes_in(const kube::api_error& said)
{
    std::vector<dispute> out;
    for (const kube::status_cause& each : said.causes())
    {
        if (each.reason == owned_by_another)
            out.push_back({each.field, manager_in(each.message)});
    }
    return out;
}

}  // namespace

asio::awaitable<dry_run::verdict> dry_run::ask(kube::resource kind, json::object wanted, std::string manager)
{
    verdict out;
    const std::pair place(kind.kind, kube::string_at(wanted, "metadata.namespace"));
    if (denied_.contains(place))
        co_return out;
    auto said = co_await apply(kind, wanted, manager, false);
    if (!said)
        out.disputes = disputes_in(said.error());
    if (!out.disputes.empty())
        said = co_await apply(kind, std::move(wanted), std::move(manager), true);
    if (said)
        out.after = *said;
    else if (may_not_be_asked(said.error()))
    {
        denied_.insert(place);
        unasked_.push_back(fmt::format(
            "what the API server would say of {}s in {} ({}): it is worked out here instead",
            kind.kind,
            place.second,
            said.error().message()
        ));
    }
    else
        out.refused = said.error().message();
    co_return out;
}

asio::awaitable<kube::api_result<kube::object_ptr>>
dry_run::apply(kube::resource kind, json::object wanted, std::string manager, bool force)
{
    kube::apply_options how;
    how.field_manager = std::move(manager);
    how.force = force;
    how.dry_run = true;
    return server_.apply(kind, std::move(wanted), std::move(how));
}

}  // namespace portitor::cli::once
