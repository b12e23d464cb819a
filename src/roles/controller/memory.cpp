#include "roles/controller/memory.hpp"

namespace portitor::controller {

void memory::recall(offer::observation& seen)
{
    const of_offer& known = offers_[seen.offer->meta.key()];
    seen.words_wait = known.words.wait(time_.now());
    for (const offer::child_type& type : offer::child_types)
    {
        const of_child& past = known.children[type.kind];
        offer::child& now = seen.children[type.kind];
        now.error = past.error;
        now.lost = past.lost;
        now.taken_down = past.taken_down;
        now.wait = past.repairs.wait(time_.now());
    }
}

void memory::note_plan(const kube::object_key& offer, const offer::plan& todo)
{
    if (todo.status && todo.only_words)
        offers_[offer].words.spend(time_.now());
    for (const offer::remove& each : todo.removes)
    {
        echo_.note_deletion(each.uid);
        offers_[offer].children[each.kind].taken_down = true;
    }
}

void memory::note_report(const kube::object_key& offer, const executor::report& done)
{
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
    }
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
}

}  // namespace portitor::controller
