#include "roles/registrar/account.hpp"

#include <portitor/core/deadline.hpp>
#include <portitor/kube/api.hpp>
#include <portitor/kube/json_patch.hpp>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/json/value.hpp>

namespace portitor::registrar {

namespace asio = boost::asio;
namespace json = boost::json;

namespace {

// The Lease is renewed by the same process, so a look may be old when the write comes.
constexpr int most_tries = 5;

constexpr const char* annotation_path = "/metadata/annotations/obol.org~1spent";

const json::object* annotations_of(const kube::object& lease)
{
    const json::value* found = kube::find_path(lease.raw, "metadata.annotations");
    return found ? found->if_object() : nullptr;
}

std::optional<std::string> spent_of(const kube::object& lease)
{
    const json::object* all = annotations_of(lease);
    const json::value* found = all ? all->if_contains(spent_annotation) : nullptr;
    if (!found || !found->is_string())
        return std::nullopt;
    return std::string(found->get_string());
}

}  // namespace

/// One write at a time: each is made on what the one before has left.
class account::writing
{
public:
    explicit writing(account& of) : of_(of) { of_.in_write_ = true; }
    writing(const writing&) = delete;
    writing& operator=(const writing&) = delete;
    ~writing()
    {
        of_.in_write_ = false;
        of_.write_ended_.cancel();
    }

private:
    account& of_;
};

std::string account::identity::lease_name() const
{
    return fmt::format("portitor-registrar-{}-{}", chain_id, address.to_string().substr(2));
}

account::account(const kube::environment& around, identity who, std::optional<kube::lease_settings> lease)
    : around_(around), who_(who), lease_(std::move(lease)),
      write_ended_(around.executor, asio::steady_timer::time_point::max())
{
    if (lease_)
        elector_.emplace(
            around_.server, *lease_, around_.timers, around_.clock, around_.log, around_.metrics
        );
}

bool account::leads() const
{
    return ready_ && !lost_ && (!elector_ || elector_->leading());
}

error account::not_ours() const
{
    return fail(
        errc::conflict,
        "this process does not hold the Lease {} of account {} (any more)",
        lease_->lease.to_string(),
        who_.address.to_checksum()
    );
}

void account::note(const std::function<void(ledger&)>& change)
{
    change(ledger_);
    if (before_)
        change(*before_);
}

asio::awaitable<result<void>> account::update(std::function<void(ledger&)> change)
{
    while (in_write_)
    {
        boost::system::error_code ignored;
        co_await write_ended_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    }
    const writing mark(*this);
    if (!lease_)
    {
        change(ledger_);
        co_return result<void>();
    }
    auto done = co_await write_until_known(std::move(change));
    if (!done)
        co_return done.error().within(fmt::format("what account {} spends", who_.address.to_checksum()));
    // The answer may have been long on its way.
    if (!leads())
        co_return not_ours();
    co_return done;
}

asio::awaitable<result<void>> account::write_until_known(std::function<void(ledger&)> change)
{
    for (int i = 0; i < most_tries; ++i)
    {
        if (!leads())
            co_return not_ours();
        if (!known_)
        {
            if (auto looked = co_await look(); !looked)
                co_return looked.error();
        }
        const auto written = co_await try_write(change);
        if (!written)
            co_return written.error();
        if (*written)
            co_return result<void>();
    }
    co_return fail(
        errc::unavailable,
        "the Lease {} was changed by others each time that this was to be written; it is tried again later",
        lease_->lease.to_string()
    );
}

// Each write tests what it replaces. So one of which nobody knows whether it arrived cannot arrive any more
// once another one has, and no sum falls back behind what was written.
json::array account::operations(const std::string& text) const
{
    json::array out;
    out.push_back(kube::patch_operation("test", "/spec/holderIdentity", json::value(lease_->holder)));
    if (written_)
        out.push_back(kube::patch_operation("test", annotation_path, json::value(*written_)));
    else
        out.push_back(kube::patch_operation("test", "/metadata/resourceVersion", json::value(version_)));
    if (!has_annotations_)
        out.push_back(kube::patch_operation("add", "/metadata/annotations", json::object()));
    out.push_back(kube::patch_operation("add", annotation_path, json::value(text)));
    return out;
}

/// One write; false where something else is there than was seen last.
asio::awaitable<result<bool>> account::try_write(std::function<void(ledger&)> change)
{
    ledger wanted = ledger_;
    change(wanted);
    const std::string text = wanted.to_text();
    if (text.size() > ledger::longest_text)
        co_return fail(errc::refused, "too many namespaces use it today");

    // Until the answer is there nobody knows whether this will be carried out.
    known_ = false;
    before_ = ledger_;
    ledger_.raise_to(wanted);
    auto answer = co_await bounded(around_.server.patch(kube::leases, lease_->lease, operations(text)));
    if (answer)
    {
        ledger_ = std::move(*before_);
        before_.reset();
        if (spent_of(**answer) != text)
            co_return fail(
                errc::protocol,
                "the API server did not keep the annotation {} of the Lease {}: does a webhook take it off?",
                spent_annotation,
                lease_->lease.to_string()
            );
        change(ledger_);
        saw(**answer);
        co_return true;
    }
    const kube::api_error& why = answer.error();
    const unsigned status = why.http_status();
    const bool is_certain = status >= 400 && status < 500;
    if (!is_certain)
        co_return why.to_error();
    ledger_ = std::move(*before_);
    before_.reset();
    // 422 is how the API server says that a `test` did not hold.
    if (status == 422 || why.is_conflict())
        co_return false;
    co_return why.to_error();
}

void account::saw(const kube::object& lease)
{
    written_ = spent_of(lease);
    has_annotations_ = annotations_of(lease) != nullptr;
    version_ = lease.meta.resource_version;
    known_ = true;
}

/// What the Lease says now. What was written there without this process knowing counts.
asio::awaitable<result<void>> account::look()
{
    auto answer = co_await get_lease();
    if (!answer)
        co_return answer.error().to_error();
    const kube::object& lease = **answer;
    if (kube::read_lease(lease).holder != lease_->holder)
        co_return not_ours();
    const auto there = spent_of(lease);
    if (before_)
        ledger_ = std::move(*before_);
    before_.reset();
    if (there && there != written_)
    {
        if (const auto read = ledger::parse(*there))
            ledger_.raise_to(*read);
        else
            around_.log.warn(
                "writing over an annotation that somebody else has changed",
                {{"lease", lease_->lease.to_string()},
                 {"annotation", spent_annotation},
                 {"err", read.error().message()}}
            );
    }
    saw(lease);
    co_return result<void>();
}

asio::awaitable<kube::api_result<kube::object_ptr>> account::get_lease()
{
    return bounded(around_.server.get(kube::leases, lease_->lease, kube::request_class::normal));
}

// By then either there is an answer or the Lease is in danger too.
asio::awaitable<kube::api_result<kube::object_ptr>>
account::bounded(asio::awaitable<kube::api_result<kube::object_ptr>> request)
{
    auto answer = co_await unless(around_.timers.sleep_for(lease_->renew_deadline / 2), std::move(request));
    if (!answer)
        co_return kube::api_error(fail(errc::timed_out, "no answer from the API server in time"));
    co_return std::move(*answer);
}

/// Beside the renewals, until it is known what the account has spent today.
asio::awaitable<void> account::read_ledger()
{
    std::string told;
    while (!ready_ && elector_->leading())
    {
        auto answer = co_await get_lease();
        const auto begun = answer ? begin_with(**answer) : result<void>(answer.error().to_error());
        if (begun)
            break;
        if (std::exchange(told, begun.error().message()) != begun.error().message())
            around_.log.error(
                "nothing is sent for this account until it is known what it has spent today",
                {{"account", who_.address.to_checksum()},
                 {"chain", who_.chain_id},
                 {"lease", lease_->lease.to_string()},
                 {"err", begun.error().message()}}
            );
        co_await around_.timers.sleep_for(lease_->retry_period);
    }
}

result<void> account::begin_with(const kube::object& lease)
{
    if (kube::read_lease(lease).holder != lease_->holder)
        return not_ours();
    const auto there = spent_of(lease);
    if (there)
    {
        auto read = ledger::parse(*there);
        if (!read)
            return fail(
                errc::invalid,
                "{}; to begin the day anew: kubectl annotate lease -n {} {} {}-",
                read.error().message(),
                lease_->lease.ns,
                lease_->lease.name,
                spent_annotation
            );
        ledger_.raise_to(*read);
    }
    saw(lease);
    // Without it a write is tested by the version, which goes on with each renewal.
    known_ = there.has_value();
    ready_ = true;
    return {};
}

}  // namespace portitor::registrar
