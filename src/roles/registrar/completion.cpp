#include "roles/registrar/completion.hpp"

#include "roles/registrar/reasons.hpp"
#include "roles/registrar/request_status.hpp"

namespace portitor::registrar {

using api::registration_phase;

namespace {

constexpr std::chrono::minutes patience(2);

request_progress failed(std::string why)
{
    return {progress::failed, std::move(why)};
}

}  // namespace

request_progress judge_progress(const kube::object& request)
{
    if (!request.unreadable.empty())
        return failed(request.unreadable);
    const auto wanted = api::parse_registration_request(request);
    if (!wanted)
        return failed(wanted.error().message());
    const auto status = read_request_status(request);
    if (!status)
        return failed(status.error().message());
    const auto conditions = kube::parse_conditions(request.status());
    const auto* told = kube::find_condition(conditions, "Registered");
    if (!told || told->observed_generation != request.meta.generation)
        return {};
    if (status->phase == registration_phase::failed)
        return failed(status->reason + ": " + status->message);
    const bool is_told = status->observed_generation == request.meta.generation;
    const bool is_end = wanted->state == api::desired_state::retired
                            ? status->phase == registration_phase::retired
                            : status->phase == registration_phase::confirmed ||
                                  status->phase == registration_phase::off_chain_only;
    if (is_told && is_end)
        return {progress::done, {}};
    if (status->reason == "Unowned")
        return failed(status->reason + ": " + status->message);
    if (is_one_of(waits_for_somebody, status->reason))
        return {progress::stuck, status->reason + ": " + status->message};
    return {};
}

request_progress completion::look(const kube::object& request)
{
    request_progress out = judge_progress(request);
    if (out.progress != progress::stuck)
    {
        stuck_.erase(request.meta.uid);
        return out;
    }
    // By its reason: words may name what moves.
    const std::string reason = out.why.substr(0, out.why.find(':'));
    auto& [known, since] = stuck_[request.meta.uid];
    if (known != reason)
    {
        known = reason;
        since = time_.now();
    }
    if (time_.now() - since >= patience)
        out.progress = progress::failed;
    return out;
}

}  // namespace portitor::registrar
