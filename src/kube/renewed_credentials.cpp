#include "kube/background_job.hpp"
#include "kube/credential_source.hpp"
#include "kube/pem.hpp"

#include <portitor/core/small_file.hpp>

#include <tuple>
#include <utility>

namespace portitor::kube {

namespace asio = boost::asio;

namespace {

using wall_clock = std::chrono::system_clock;

// The kubelet renews a token well before it expires, and client-go reads it as often.
constexpr auto file_period = std::chrono::minutes(1);
// How long a volume may hang before the texts at hand have to do.
constexpr auto file_patience = std::chrono::seconds(5);
// How long before its expiry a plugin's credential is renewed.
constexpr auto plugin_leeway = std::chrono::seconds(10);
// Between two runs of a plugin whose credentials are refused, or that fails.
constexpr auto plugin_pause = std::chrono::seconds(5);

/// What a reading of all files brought; none where a text is not from a file or cannot be used.
struct file_texts
{
    std::optional<std::string> ca;
    std::optional<std::pair<std::string, std::string>> certificate_and_key;
    std::optional<std::string> token;
};

// The file's text, or the one that stands in the configuration.
std::optional<std::string> read_pem(const text_source& from)
{
    if (from.path.empty())
        return from.text;
    auto text = read_small_file(from.path);
    if (!text || !is_pem(*text))
        return std::nullopt;
    return std::move(*text);
}

std::optional<std::string> read_token(const text_source& from)
{
    auto text = read_small_file(from.path);
    if (!text)
        return std::nullopt;
    std::string token = trimmed(std::move(*text));
    if (!is_bearer_token(token))
        return std::nullopt;
    return token;
}

file_texts read_files(const credential_source& source)
{
    file_texts out;
    out.ca = read_pem(source.ca);
    auto certificate = read_pem(source.certificate);
    auto private_key = read_pem(source.private_key);
    if (certificate && private_key && may_belong_together(*certificate, *private_key))
        out.certificate_and_key.emplace(std::move(*certificate), std::move(*private_key));
    if (!source.token.path.empty())
        out.token = read_token(source.token);
    return out;
}

bool same(const http::tls_settings& a, const http::tls_settings& b)
{
    return a.ca == b.ca && a.certificate == b.certificate && a.private_key == b.private_key &&
           a.server_name == b.server_name;
}

/// What is valid now, and the jobs that renew it. A file that hangs does not keep a plugin from running.
class renewal
{
public:
    renewal(asio::any_io_executor executor, timekeeper& time, credential_source source)
        : source_(std::move(source)), time_(time), token_(source_.token.text), files_read_at_(time.now()),
          files_(executor, time), plugin_(executor, time)
    {
        own_tls_.ca = source_.ca.text;
        own_tls_.certificate = source_.certificate.text;
        own_tls_.private_key = source_.private_key.text;
        own_tls_.server_name = source_.server_name;
        tls_ = std::make_shared<const http::tls_settings>(own_tls_);
        for (const text_source* each :
             {&source_.ca, &source_.certificate, &source_.private_key, &source_.token})
            has_files_ = has_files_ || !each->path.empty();
    }

    const http::origin& server() const { return source_.server; }

    // Shares itself with the coroutine: credentials may go while somebody still waits for them.
    static asio::awaitable<result<identity>> current(std::shared_ptr<renewal> self)
    {
        self->start_what_is_due();
        co_await self->files_.wait();
        co_await self->plugin_.wait();
        co_return self->at_hand();
    }

    void expire()
    {
        // A renewal that is under way already gives something newer than what was refused.
        files_refused_ = !files_.running();
        plugin_refused_ = !plugin_.running();
    }

    void close()
    {
        closed_ = true;
        plugin_.stop();
        files_.stop();
    }

private:
    void start_what_is_due()
    {
        if (closed_)
            return;
        if (files_due())
            start_files();
        if (plugin_due())
            start_plugin();
    }

    bool files_due() const
    {
        if (!has_files_ || files_.running())
            return false;
        return files_refused_ || time_.now() >= files_read_at_ + file_period;
    }

    void start_files()
    {
        files_refused_ = false;
        files_read_at_ = time_.now();
        // The job ends before this object does, and the source stays as it is.
        auto work = [this](std::stop_token) -> background_job::follow_up {
            return [this, texts = read_files(source_)] { take(texts); };
        };
        files_.start(std::move(work), files_read_at_ + file_patience);
    }

    void take(const file_texts& texts)
    {
        if (texts.ca)
            own_tls_.ca = *texts.ca;
        if (texts.certificate_and_key)
            std::tie(own_tls_.certificate, own_tls_.private_key) = *texts.certificate_and_key;
        if (texts.token)
            token_ = *texts.token;
        put_together_tls();
    }

    bool plugin_due() const
    {
        if (!source_.plugin || plugin_.running())
            return false;
        if (plugin_ended_at_ && time_.now() < *plugin_ended_at_ + plugin_pause)
            return false;
        return !credential_ || plugin_refused_ || expired(plugin_leeway);
    }

    void start_plugin()
    {
        plugin_refused_ = false;
        auto work = [this](std::stop_token stop) -> background_job::follow_up {
            return
                [this, credential = run_exec_plugin(*source_.plugin, std::move(stop))] { take(credential); };
        };
        // Bounded by the plugin's own time limit.
        plugin_.start(std::move(work), background_job::time_point::max());
    }

    void take(const result<exec_credential>& credential)
    {
        plugin_ended_at_ = time_.now();
        plugin_failure_.reset();
        if (credential)
            credential_ = *credential;
        else
            plugin_failure_ = credential.error();
        put_together_tls();
    }

    bool expired(std::chrono::seconds leeway) const
    {
        return credential_->expires && wall_clock::now() + leeway >= *credential_->expires;
    }

    // Another object only where something has changed: it costs its users their connections.
    void put_together_tls()
    {
        http::tls_settings tls = own_tls_;
        if (credential_ && !credential_->certificate.empty())
        {
            tls.certificate = credential_->certificate;
            tls.private_key = credential_->private_key;
        }
        if (!same(tls, *tls_))
            tls_ = std::make_shared<const http::tls_settings>(std::move(tls));
    }

    result<identity> at_hand() const
    {
        if (closed_)
            return fail(errc::canceled, "the credentials are being shut down");
        identity out;
        out.tls = tls_;
        if (!source_.plugin)
        {
            out.bearer_token = token_;
            return out;
        }
        // As client-go: what has not expired is used on, even where the server has refused it, for a server
        // that cannot ask its authenticator says the same.
        if (plugin_failure_ && (!credential_ || expired(std::chrono::seconds(0))))
            return *plugin_failure_;
        out.bearer_token = credential_->token;
        return out;
    }

    const credential_source source_;
    timekeeper& time_;
    http::tls_settings own_tls_;  // without what a plugin gave
    std::shared_ptr<const http::tls_settings> tls_;
    std::string token_;
    bool has_files_ = false;
    bool files_refused_ = false;
    timekeeper::time_point files_read_at_;
    std::optional<exec_credential> credential_;
    std::optional<error> plugin_failure_;  // of the last run
    std::optional<timekeeper::time_point> plugin_ended_at_;
    bool plugin_refused_ = false;
    bool closed_ = false;
    // Last, so that they end first: their work reads the source.
    background_job files_;
    background_job plugin_;
};

class renewed_credentials final : public credentials
{
public:
    explicit renewed_credentials(std::shared_ptr<renewal> inner) : inner_(std::move(inner)) {}
    renewed_credentials(const renewed_credentials&) = delete;
    renewed_credentials& operator=(const renewed_credentials&) = delete;
    ~renewed_credentials() override { inner_->close(); }

    const http::origin& server() const override { return inner_->server(); }
    asio::awaitable<result<identity>> current() override { return renewal::current(inner_); }
    void expire() override { inner_->expire(); }

private:
    std::shared_ptr<renewal> inner_;
};

}  // namespace

std::unique_ptr<credentials>
make_credentials(asio::any_io_executor executor, timekeeper& time, credential_source source)
{
    auto inner = std::make_shared<renewal>(std::move(executor), time, std::move(source));
    return std::make_unique<renewed_credentials>(std::move(inner));
}

}  // namespace portitor::kube
