#include "roles/controller/memory.hpp"

#include <algorithm>

namespace portitor::controller {

void memory::recall(offer::observation& seen)
{
    const of_offer& known = offers_[seen.offer->meta.key()];
    seen.words_wait = known.words.wait(time_.now());
    if (known.generation == seen.offer->meta.generation)
        seen.been_true = known.been_true;
    seen.recovery_wait = known.recoveries.wait(time_.now());
    for (const offer::child_type& type : offer::child_types)
    {
        const of_child& past = known.children[type.kind];
        offer::child& now = seen.children[type.kind];
        now.error = past.error;
        now.lost = past.lost;
        now.taken_down = past.taken_down;
        now.wait = past.repairs.wait(time_.now());
    }
    seen.children[offer::child_kind::http_route].turn = window_.wait(seen.offer->meta.key(), time_.now());
}

void memory::note_turn(const kube::object_key& offer, const offer::plan& todo)
{
    const auto is_route = [](const offer::apply& each) { return each.kind == offer::child_kind::http_route; };
    if (todo.route_in_line)
        window_.stand(offer);
    else if (std::any_of(todo.applies.begin(), todo.applies.end(), is_route))
        window_.take(offer, time_.now());
    else
        leave_line(offer);
}

void memory::note_plan(const kube::object_meta& offer, const offer::plan& todo)
{
    of_offer& known = offers_[offer.key()];
    if (todo.status && todo.only_words)
        known.words.spend(time_.now());
    if (todo.status && todo.recovers)
        known.recoveries.spend(time_.now());
    if (std::exchange(known.generation, offer.generation) != offer.generation)
        known.been_true.clear();
    known.been_true.insert(todo.better.begin(), todo.better.end());
    for (const offer::remove& each : todo.removes)
    {
        echo_.note_deletion(each.uid);
        known.children[each.kind].taken_down = true;
    }
}

std::vector<kube::object_key> memory::note_report(const kube::object_key& offer, const executor::report& done)
{
    std::vector<kube::object_key> next;
    if (!done.offer_version.empty())
        echo_.note_write(offer, done.offer_version);
    for (const executor::applied& each : done.applies)
    {
        of_child& of = offers_[offer].children[each.kind];
        if (each.repaired)
            of.repairs.spend(time_.now());
        of.error = each.failure;
        if (each.failure.empty())
            of.lost = of.taken_down = false;
        if (each.kind == offer::child_kind::http_route)
            next = window_.written(offer, each.generation, time_.now());
    }
    return next;
}

void memory::note_gone(
    offer::child_kind kind, const kube::object_meta& child, const std::vector<kube::object_key>& offers
)
{
    if (echo_.take_deletion(child.uid))
        return;
    for (const kube::object_key& each : offers)
    {
        if (const auto known = offers_.find(each); known != offers_.end())
            known->second.children[kind].lost = true;
    }
}

bool memory::is_news(const kube::object_key& offer, const std::string& text)
{
    return std::exchange(offers_[offer].told, text) != text;
}

void memory::forget(const kube::object_key& offer)
{
    offers_.erase(offer);
    echo_.forget(offer);
    leave_line(offer);
}

}  // namespace portitor::controller
