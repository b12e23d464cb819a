#include "roles/controller/pollers.hpp"

namespace portitor::controller {

namespace {

constexpr std::size_t questions_at_a_time = 64;
// An answer may take five seconds: whose upstreams are that slow has so many of them asked at a time, and
// each Service or runtime gets only a few questions at once.
constexpr std::size_t of_namespace = questions_at_a_time / 4;
constexpr std::size_t of_service = 4;

// "http://web.shop.svc:8080" of all paths there.
std::string service_of(const std::string& url)
{
    const auto start = url.find("://");
    return url.substr(0, url.find('/', start == url.npos ? 0 : start + 3));
}

template <typename Poller, typename Target>
void follow(Poller& poller, const kube::object_key& offer, const std::optional<Target>& wanted)
{
    if (wanted)
        poller.watch(offer, *wanted);
    else
        poller.forget(offer);
}

/// How late questions are asked, with whose doing it is: what a namespace does to itself is no fault here.
template <typename Poller>
void measure(Poller& poller, const char* what, metrics& numbers)
{
    const auto series = [&](const char* waited_for) -> histogram& {
        return numbers.histogram(
            "portitor_probe_delay_seconds",
            "How late probes began, by what they had waited for",
            {{"probe", what}, {"waited_for", waited_for}}
        );
    };
    poller.on_ask([&own = series("own_share"), &others = series("others")](auto late, bool own_share) {
        (own_share ? own : others).observe(std::chrono::duration<double>(late).count());
    });
}

}  // namespace

pollers::pollers(
    task_group& tasks,
    timekeeper& time,
    http::client& client,
    const x402::network_table& networks,
    metrics& numbers,
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
{
    upstreams_.share_out(of_namespace, of_service, service_of);
    models_.share_out(of_namespace, of_service, [](const offer::model_target& of) { return of.base_url; });
    // It is the verifier that answers these, not the namespace's own Services.
    gates_.share_out(of_namespace, of_namespace, {});
    measure(upstreams_, "upstream", numbers);
    measure(models_, "model", numbers);
    measure(gates_, "gate", numbers);
}

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
