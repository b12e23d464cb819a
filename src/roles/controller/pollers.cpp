#include "roles/controller/pollers.hpp"

namespace portitor::controller {

namespace {

constexpr std::size_t questions_at_a_time = 64;

template <typename Poller, typename Target>
void follow(Poller& poller, const kube::object_key& offer, const std::optional<Target>& wanted)
{
    if (wanted)
        poller.watch(offer, *wanted);
    else
        poller.forget(offer);
}

}  // namespace

pollers::pollers(
    task_group& tasks,
    timekeeper& time,
    http::client& client,
    const x402::network_table& networks,
    std::chrono::milliseconds probe_period,
    preference find_other,
    listener look_again
)
    : upstreams_(
          "upstream probe", tasks, time, questions_at_a_time, ask_upstream(client, probe_period), look_again
      ),
      models_("model list", tasks, time, questions_at_a_time, ask_for_model(client), look_again),
      gates_(
          "gate proof",
          tasks,
          time,
          questions_at_a_time,
          ask_gateway(client, std::move(find_other)),
          look_again
      ),
      facilitators_(
          "facilitator",
          tasks,
          time,
          questions_at_a_time,
          ask_facilitator(client, networks),
          std::move(look_again)
      )
{}

void pollers::ask(const kube::object_key& offer, const offer::questions& wanted)
{
    follow(upstreams_, offer, wanted.upstream);
    follow(models_, offer, wanted.model);
    if (!wanted.keep_gate_answer)
        follow(gates_, offer, wanted.gate);
    follow(facilitators_, offer, wanted.facilitator);
}

void pollers::recall(offer::observation& into) const
{
    const kube::object_key offer = into.offer->meta.key();
    into.probe = upstreams_.latest(offer);
    into.model = models_.latest(offer);
    into.proof = gates_.latest(offer);
    into.facilitator = facilitators_.latest(offer);
}

}  // namespace portitor::controller
