#include "roles/controller/gate_trials.hpp"

#include "offer/draft.hpp"
#include "offer/gate_trial.hpp"

#include <algorithm>

namespace portitor::controller {

namespace {

constexpr std::chrono::seconds first_wait(5 * 60);
constexpr std::chrono::seconds longest_wait(60 * 60);
constexpr std::chrono::seconds shortest_wait(30);

}  // namespace

void gate_trials::recall(offer::observation& seen)
{
    const kube::condition* told = offer::told_open_gate(*seen.offer);
    if (!told)
    {
        trials_.erase(seen.offer->meta.key());
        return;
    }
    const auto now = time_.now();
    trial& of = find(*seen.offer, *told);
    if (!of.word.empty() && seen.proof.said == offer::gate_proof::verdict::open)
    {
        of.word.clear();
        of.due = now + of.wait;
        of.soonest = now + shortest_wait;
        of.wait = std::min(longest_wait, of.wait * 2);
    }
    // A new spec is the seller's word that things are different now.
    if (std::exchange(of.generation, seen.offer->meta.generation) != seen.offer->meta.generation)
        of.due = std::min(of.due, now);
    if (of.word.empty() && now >= of.due)
        of.word = offer::unguessable_word();
    seen.trial = of.word;
    if (of.word.empty())
        seen.next_trial = std::chrono::ceil<std::chrono::milliseconds>(of.due - now);
}

// How often it was tried before this process began is not known: the first wait is counted from when it was
// told.
gate_trials::trial& gate_trials::find(const offer::offer_record& offer, const kube::condition& told)
{
    const auto [at, is_new] = trials_.try_emplace(offer.meta.key());
    trial& out = at->second;
    if (!is_new)
        return out;
    const auto passed = std::clamp<clock::time_point::duration>(
        wall_.now() - from_rfc3339(told.last_transition_time), clock::time_point::duration::zero(), first_wait
    );
    const auto now = time_.now();
    out.generation = told.observed_generation;
    out.due = now + first_wait - std::chrono::duration_cast<std::chrono::milliseconds>(passed);
    out.soonest = now;
    out.wait = 2 * first_wait;
    return out;
}

std::vector<kube::object_key> gate_trials::note_change()
{
    std::vector<kube::object_key> out;
    for (auto& [key, each] : trials_)
    {
        if (!each.word.empty() || each.due <= each.soonest)
            continue;
        each.due = std::min(each.due, std::max(each.soonest, time_.now()));
        out.push_back(key);
    }
    return out;
}

}  // namespace portitor::controller
