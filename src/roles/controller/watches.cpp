#include "roles/controller/watches.hpp"

#include "offer/parent_word.hpp"
#include "offer/watch_filters.hpp"

#include <portitor/api/resources.hpp>

#include <algorithm>

namespace portitor::controller {

namespace {

using kube::object_key;
using offer::child_kind;

// Who takes such a kind away takes its objects with it: offers can be deleted all the same.
kube::watch_options installed_by_others()
{
    kube::watch_options out;
    out.when_absent = kube::watch_options::absence::emptied;
    return out;
}
// What is sold is judged by such kinds, and nothing is deleted by them: where the account may not read one,
// offers stay as they are, and those that are deleted go.
kube::watch_options judged_by()
{
    kube::watch_options out;
    out.optional = true;
    return out;
}
// Of the ten seconds in which offers say that no verifier is there.
constexpr std::chrono::milliseconds loss_hold(2000);
constexpr std::chrono::milliseconds longest_spread(3000);
constexpr std::chrono::milliseconds spread_of_one(1);

watches::keys joined(watches::keys some, const watches::keys& more)
{
    some.insert(some.end(), more.begin(), more.end());
    return some;
}

// Not its status alone.
bool is_rewritten(const kube::change<kube::object>& of)
{
    return !of.before || !of.after || of.before->meta.uid != of.after->meta.uid ||
           of.before->meta.generation != of.after->meta.generation;
}

}  // namespace

std::vector<object_key> concerned_by_child(const kube::change<kube::object>& of)
{
    std::vector<object_key> keys = kube::controller_key(std::string(api::service_offer_resource.kind))(of);
    for (const kube::object_ptr& each : {of.before, of.after})
    {
        // The label's name holds dots, so it is no path.
        const auto* label = each ? kube::labels_of(*each).if_contains(api::offer_label) : nullptr;
        if (label && label->is_string())
            keys.push_back({each->meta.ns, std::string(label->get_string())});
    }
    return keys;
}

watches::watches(
    kube::controller& to,
    const options& which,
    const offer::plan_settings& settings,
    const clock& wall,
    const timekeeper& time,
    memory& past,
    offer_metrics& numbers,
    logger log
)
    : settings_(settings), wall_(wall), time_(time), past_(past), numbers_(numbers), log_(std::move(log)),
      queue_(to.queue())
{
    offers_ = &to.watch<offer::offer_record>(
        api::service_offer_resource,
        which.offers.watched(),
        which.offers.decoder(),
        [this](const offer_change& of) { return concerned_by_offer(of); },
        {},
        which.offers.stand_in()
    );
    watch_children(to);
    // Without that kind nobody can allow anything; it is looked for again, should it come.
    kube::watch_options optional = judged_by();
    optional.when_absent = kube::watch_options::absence::fine;
    auto& grants = to.watch(
        api::reference_grant_resource,
        offer::filtered(offer::own_kind_filter()),
        [this](const change& of) { return market_->around().concerned_by_grant(of); },
        optional
    );
    kube::object_informer* namespaces =
        settings.gateway.hosts.needs_labels() ? watch_namespaces(to) : nullptr;
    auto& services = to.watch(
        api::service_resource,
        offer::filtered(offer::service_filter()),
        [this](const change& of) { return market_->around().concerned_by_service(of); },
        judged_by()
    );
    market_.emplace(offer::market::kinds{*offers_, children_, grants, services, namespaces}, settings);
    if (!which.verifier_service.name.empty())
        watch_endpoints(to, which.verifier_service);
}

offer::observation watches::observe(offer::record_ptr offer) const
{
    offer::observation seen = market_->observe(std::move(offer));
    if (endpoints_)
        seen.verifier_ready = verifier_ready_;
    return seen;
}

void watches::watch_children(kube::controller& to)
{
    children_[child_kind::middleware] = &to.watch(
        api::middleware_resource,
        offer::child_selection(child_kind::middleware),
        [this](const change& of) {
            return joined(
                joined(
                    child_changed(offer::middleware_named(of.key().name), of),
                    market_->around().concerned_by_middleware(of)
                ),
                concerned_by_gates(of)
            );
        },
        installed_by_others()
    );
    for (const child_kind kind : offer::optional_middlewares)
        children_[kind] = children_[child_kind::middleware];
    children_[child_kind::http_route] = &to.watch(
        api::http_route_resource,
        offer::child_selection(child_kind::http_route),
        [this](const change& of) {
            if (on_route_change_)
                on_route_change_(of.key());
            if (is_rewritten(of) && of.before)
                market_->around().note_former_route(of.before, time_.now());
            return joined(
                joined(route_changed(of), market_->around().concerned_by_route(of)), concerned_by_gates(of)
            );
        },
        installed_by_others()
    );
    for (const child_kind kind : {child_kind::payment_route, child_kind::registration})
        children_[kind] = &to.watch(
            offer::type_of(kind).resource,
            offer::child_selection(kind),
            [this, kind](const change& of) { return child_changed(kind, of); }
        );
}

// Only where the operator's list of hosts goes by their labels: it takes a right that nothing else does.
kube::object_informer* watches::watch_namespaces(kube::controller& to)
{
    return &to.watch(
        api::namespace_resource,
        offer::filtered(offer::namespace_filter()),
        [this](const change& of) { return concerned_by_namespace(of); },
        judged_by()
    );
}

void watches::watch_endpoints(kube::controller& to, const object_key& service)
{
    endpoints_ = &to.watch(
        api::endpoint_slice_resource,
        offer::endpoint_selection(service),
        [this](const change&) {
            take_endpoints();
            return keys();
        },
        judged_by()
    );
}

void watches::begin()
{
    if (endpoints_)
        verifier_ready_ = offer::any_endpoint_ready(*endpoints_);
    begun_ = true;
    for (const auto& [key, offer] : offers_->objects().all())
        update_path_or_later(offer);
}

watches::keys watches::concerned_by_offer(const offer_change& of)
{
    keys out = take_place(of, wall_.now());
    out.push_back(of.key());
    // Last, because it must not count twice what is told again after an exception.
    const auto ours = [](const offer::record_ptr& each) {
        return each && each->is_ours() ? each : offer::record_ptr();
    };
    numbers_.update({ours(of.before), ours(of.after)});
    return out;
}

watches::keys watches::take_place(const offer_change& of, clock::time_point now)
{
    keys out = market_->update_path(of, now);
    const auto version = market_->hosts_version();
    if (std::exchange(hosts_version_, version) != version && on_hosts_change_)
        on_hosts_change_();
    return out;
}

void watches::update_path(const offer::record_ptr& offer, clock::time_point now)
{
    for (const object_key& each : take_place({offer, offer}, now))
        queue_.add(each);
}

// One offer's exception is no reason not to begin with all others.
void watches::update_path_or_later(const offer::record_ptr& offer)
{
    try
    {
        update_path(offer, wall_.now());
    }
    catch (...)
    {
        log_.error(
            "an exception while a path was looked at",
            {{"offer", offer->meta.key().to_string()}, {"err", describe(std::current_exception())}}
        );
        queue_.add_failed(offer->meta.key());
    }
}

// Who may have its host now, or no more, asks for its place, or does not.
watches::keys watches::concerned_by_namespace(const change& of)
{
    if (of.before && of.after && kube::labels_of(*of.before) == kube::labels_of(*of.after))
        return {};
    keys out = market_->concerned_by_namespace(of);
    keys moved;
    for (const object_key& each : out)
    {
        const offer::record_ptr offer = offers_->objects().find(each);
        moved = joined(std::move(moved), take_place({offer, offer}, wall_.now()));
    }
    return joined(std::move(out), moved);
}

// It remembers what somebody else has deleted.
watches::keys watches::child_changed(child_kind kind, const change& of)
{
    keys out = concerned_by_child(of);
    if (of.before && !of.after)
        past_.note_gone(kind, of.before->meta, out);
    return out;
}

// One that the gateway has done with makes room for the next.
watches::keys watches::route_changed(const change& of)
{
    keys out = child_changed(child_kind::http_route, of);
    if (of.after && !offer::is_judged(*of.after, settings_))
        return out;
    const auto generation = of.after ? std::optional(of.after->meta.generation) : std::nullopt;
    for (const object_key& each : concerned_by_child(of))
        out = joined(std::move(out), past_.note_judged(each, generation));
    return out;
}

std::string
watches::preferred_rule(std::string_view offer, std::string_view host, std::string_view path) const
{
    return market_->around().preferred_rule(offer, host, path, time_.now());
}

// Trials make and take away routes of ours, and are not begun by that.
watches::keys watches::concerned_by_gates(const change& of) const
{
    if (!on_gate_change_ || !is_rewritten(of) || !concerned_by_child(of).empty())
        return {};
    return on_gate_change_();
}
// One that has come is told of at once.
void watches::take_endpoints()
{
    // begin() looks for itself.
    if (!begun_)
        return;
    const bool ready = offer::any_endpoint_ready(*endpoints_);
    if (ready)
        lost_since_.reset();
    if (ready == verifier_ready_)
        return;
    if (ready)
    {
        verifier_ready_ = true;
        tell_all_offers();
    }
    else if (!lost_since_)
    {
        lost_since_ = time_.now();
        queue_.add_after(endpoints_key(), loss_hold);
    }
}

std::optional<std::chrono::milliseconds> watches::look_at_endpoints()
{
    if (!lost_since_)
        return std::nullopt;
    const auto left = *lost_since_ + loss_hold - time_.now();
    if (left > std::chrono::milliseconds(0))
        return std::chrono::ceil<std::chrono::milliseconds>(left);
    lost_since_.reset();
    verifier_ready_ = false;
    tell_all_offers();
    return std::nullopt;
}

// Each costs a write, so not all of them at once.
void watches::tell_all_offers()
{
    const auto& all = offers_->objects().all();
    const auto count = static_cast<std::chrono::milliseconds::rep>(all.size());
    const auto spread = std::min(longest_spread, count * spread_of_one);
    std::chrono::milliseconds::rep place = 0;
    for (const auto& [key, offer] : all)
        queue_.add_after(key, spread * place++ / count);
}

}  // namespace portitor::controller
