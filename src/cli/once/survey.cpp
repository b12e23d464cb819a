#include "cli/once/survey.hpp"

#include "cli/cluster/shown_settings.hpp"
#include "cli/once/child_report.hpp"
#include "cli/once/findings.hpp"
#include "cli/once/judge.hpp"
#include "offer/plan.hpp"

#include <portitor/api/resources.hpp>
#include <portitor/kube/selector.hpp>

#include <algorithm>

namespace portitor::cli::once {

namespace asio = boost::asio;

namespace {

// Of those dry runs that stand for the seller's own apply.
constexpr const char* seller = "portitor-once";

bool takes_a_place(const wanted_offer& of)
{
    return of.problems.empty() && of.passed_over.empty();
}

kube::object_key parse_key(const std::string& text)
{
    const std::size_t slash = text.find('/');
    return {text.substr(0, slash), text.substr(slash + 1)};
}

void tell_standing(offer_report& into, const wanted_offer& of)
{
    into.from = of.from;
    into.standing = !of.live ? standing::created : of.differs ? standing::changed : standing::same;
    if (into.standing == standing::changed)
        into.offer_diff = diff_of(shown_fields(of.live->raw), shown_fields(of.whole));
}

}  // namespace

asio::awaitable<result<void>> survey::read(written_offers files, report* into)
{
    into->errors.insert(into->errors.end(), files.errors.begin(), files.errors.end());
    kube::api* const server = link_.is_cluster ? link_.server.get() : nullptr;
    auto completed = co_await complete_offers(server, std::move(files.offers), around_.clock.now());
    if (!completed)
        co_return completed.error();
    wanted_ = std::move(*completed);
    std::sort(wanted_.begin(), wanted_.end(), [](const wanted_offer& left, const wanted_offer& right) {
        return left.key < right.key;
    });
    pass_over();
    if (asks())
        co_await ask_about_offers();

    market_view::request what;
    what.offer_selector = config_.settings.offer_selector();
    std::set<std::string> namespaces;
    if (!config_.ns.empty())
        namespaces.insert(config_.ns);
    for (const std::string& each : config_.offers)
        namespaces.insert(parse_key(each).ns);
    for (const wanted_offer& each : wanted_)
    {
        namespaces.insert(each.key.ns);
        if (takes_a_place(each))
            what.offers.push_back(each.whole);
    }
    what.namespaces.assign(namespaces.begin(), namespaces.end());
    auto read = co_await market_view::read(around_, *link_.server, settings_, std::move(what));
    if (!read)
        co_return read.error();
    view_ = std::move(*read);
    co_return result<void>();
}

void survey::pass_over()
{
    for (wanted_offer& each : wanted_)
    {
        // What it acted on before it takes down.
        const bool is_released = each.live && each.live->meta.has_finalizer(api::finalizer);
        if (!is_released)
            each.passed_over = config_.settings.why_left_out(each.written);
    }
}

asio::awaitable<void> survey::ask_about_offers()
{
    for (wanted_offer& each : wanted_)
    {
        if (!each.problems.empty() || !each.differs)
            continue;
        const auto said =
            co_await asker_.ask(api::service_offer_resource, each.written, seller, stands_for::oneself);
        if (!said.refused.empty())
            each.problems.push_back("the API server would refuse it: " + said.refused);
    }
}

asio::awaitable<result<std::set<kube::object_key>>> survey::select(report* into)
{
    std::set<kube::object_key> out;
    for (const std::string& each : config_.offers)
    {
        const kube::object_key key = parse_key(each);
        if (view_->offers().contains(key) || find_wanted(key))
            out.insert(key);
        else
            into->errors.push_back(fmt::format(
                "ServiceOffer {} is not there{}",
                each,
                config_.settings.offer_selector().empty()
                    ? ""
                    : ", or the operator's offer-selector leaves it out: " + config_.settings.offer_selector()
            ));
    }
    if (config_.offers.empty())
    {
        for (const wanted_offer& each : wanted_)
            out.insert(each.key);
    }
    const bool all = config_.everything || (config_.offers.empty() && config_.files.empty());
    for (const auto& [key, offer] : view_->offers())
    {
        if (all && (config_.ns.empty() || key.ns == config_.ns))
            out.insert(key);
    }
    if (config_.selector.empty())
        co_return out;
    const auto shown = kube::make_predicate("", config_.selector, "");
    if (!shown)
        co_return shown.error().within("--selector");
    live_offers labelled;
    if (link_.is_cluster)
    {
        kube::selection which;
        which.labels = config_.selector;
        which.metadata_only = true;
        auto listed = co_await list_offers(*link_.server, {which});
        if (!listed)
            co_return listed.error().to_error().within("--selector: listing ServiceOffers");
        labelled = std::move(*listed);
    }
    std::erase_if(out, [&](const kube::object_key& key) {
        const wanted_offer* file = find_wanted(key);
        return file ? !(*shown)(file->written) : !labelled.contains(key);
    });
    co_return out;
}

asio::awaitable<offer_report> survey::look_at(kube::object_key key)
{
    offer_report out;
    const wanted_offer* file = find_wanted(key);
    if (!file || takes_a_place(*file))
    {
        offer::observation seen = view_->observe(view_->offers().at(key));
        const auto now = around_.clock.now();
        const auto before = file && file->live ? offer::offer_record::read(*file->live) : seen.offer;
        const bool is_known = config_.settings.known() || !link_.is_cluster;
        const offer::plan_settings settings = is_known ? settings_ : shown_settings(settings_, seen, *before);
        if (file && file->live)
            recall_findings(seen, *before, settings, now);
        offer::plan todo = offer::make_plan(seen, settings, now);
        if (settings_.gateway.gateway_url.empty())
            todo.ask.gate.reset();
        out = judge(todo, seen, settings, now);
        out.by_defaults = !is_known && !shows_settings(seen);
        if (asks())
            co_await ask_about_children(&out, &todo);
    }
    out.key = std::move(key);
    if (file)
    {
        tell_standing(out, *file);
        out.problems = file->problems;
        if (!file->passed_over.empty())
            out.passed_over = file->passed_over;
    }
    co_return out;
}

asio::awaitable<void> survey::ask_about_children(offer_report* into, const offer::plan* todo)
{
    for (const offer::apply& step : todo->applies)
    {
        const auto at = std::find_if(into->children.begin(), into->children.end(), [&](const auto& each) {
            return each.kind == step.kind;
        });
        const kube::resource& kind = offer::type_of(step.kind).resource;
        auto said = co_await asker_.ask(
            kind, step.desired, std::string(api::controller_field_manager), stands_for::controller
        );
        at->refused = std::move(said.refused);
        at->disputes = std::move(said.disputes);
        if (said.after)
            take_answer(*at, said.after->raw, step);
    }
}

const wanted_offer* survey::find_wanted(const kube::object_key& key) const
{
    const auto at = std::lower_bound(
        wanted_.begin(),
        wanted_.end(),
        key,
        [](const wanted_offer& left, const kube::object_key& right) { return left.key < right; }
    );
    return at == wanted_.end() || at->key != key ? nullptr : &*at;
}

std::vector<std::string> survey::unseen() const
{
    std::vector<std::string> out = view_->unseen();
    for (std::string& each : asker_.unasked())
        out.push_back(std::move(each));
    return out;
}

}  // namespace portitor::cli::once
