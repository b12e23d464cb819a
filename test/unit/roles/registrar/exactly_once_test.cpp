#include "catch.hpp"
#include "roles/registrar/next_step.hpp"

#include <portitor/evm/abi.hpp>
#include <portitor/evm/eip712.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <random>
#include <set>

using namespace portitor;
using namespace portitor::registrar;

namespace {

const evm::address sender = evm::address::parse("0x70997970c51812dc3a010c7d01b50e0d17dc79c8").value();
const evm::address registry = evm::address::parse("0x8004a818bfb912233c491871b3d84c89a494bd9e").value();
constexpr std::uint32_t confirmations = 3;

struct sent_transaction
{
    evm::transaction what;
    evm::word hash{};
    std::string minted_uri;  ///< empty: no mint
};

std::string uri_of(int request)
{
    return fmt::format("https://api.example.com/offer-{}.json", request);
}

/// A chain whose nodes lag behind, lose what they are given and forget blocks.
class model_chain
{
public:
    explicit model_chain(std::mt19937& random) : random_(random), blocks_(20) {}

    std::uint64_t head() const { return blocks_.size() - 1; }

    bool roll(int percent) { return static_cast<int>(random_() % 100) < percent; }

    /// How far the node is that answers this time.
    std::uint64_t some_height()
    {
        const std::uint64_t lag = roll(30) && faulty ? random_() % 12 : 0;
        return head() - std::min<std::uint64_t>(lag, head());
    }

    std::uint64_t count_at(std::uint64_t height) const
    {
        std::uint64_t out = 0;
        for (std::uint64_t i = 0; i <= height; ++i)
            out += blocks_[i].size();
        return out;
    }

    /// Whether the node takes it; it may have it all the same, or not have it although it says so.
    void take(const evm::bytes& raw)
    {
        if (faulty && roll(20))
            return;
        sent_transaction made{evm::read_signed(raw).value(), evm::keccak256(raw), {}};
        if (made.what.nonce < count_at(head()))
            return;
        const auto at = pool_.find(made.what.nonce);
        if (at != pool_.end() && at->second.what.max_fee * 11 > made.what.max_fee * 10)
            return;
        for (int i = 0; i < 10; ++i)
        {
            const std::string uri = uri_of(i);
            const auto& data = made.what.data;
            if (std::search(data.begin(), data.end(), uri.begin(), uri.end()) != data.end())
                made.minted_uri = uri;
        }
        pool_[made.what.nonce] = made;
    }

    void mine()
    {
        std::vector<sent_transaction> block;
        for (std::uint64_t next = count_at(head()); pool_.contains(next); ++next)
        {
            block.push_back(pool_.at(next));
            pool_.erase(next);
        }
        blocks_.push_back(block);
        ids_.push_back(++last_id_);
    }

    /// The last blocks are made again, mostly without what was in them.
    void reorganise()
    {
        const std::uint64_t depth = std::min<std::uint64_t>(1 + random_() % (confirmations - 1), ids_.size());
        for (std::uint64_t i = 0; i < depth; ++i)
        {
            for (const sent_transaction& each : blocks_.back())
            {
                if (roll(50))
                    pool_[each.what.nonce] = each;
            }
            blocks_.pop_back();
            ids_.pop_back();
        }
        for (std::uint64_t i = 0; i < depth; ++i)
            mine();
    }

    bool waits(const evm::word& hash) const
    {
        const auto is_it = [&](const auto& each) { return each.second.hash == hash; };
        return std::any_of(pool_.begin(), pool_.end(), is_it);
    }

    void forget_pool() { pool_.clear(); }

    evm::word block_hash(std::uint64_t number) const
    {
        return evm::to_word(u256(1'000'000 + ids_.at(number - 20)));
    }

    std::optional<evm::receipt> receipt(const evm::word& hash, std::uint64_t height) const
    {
        for (std::uint64_t i = 20; i <= height; ++i)
        {
            for (const sent_transaction& each : blocks_[i])
            {
                if (each.hash == hash)
                    return receipt_of(each, i);
            }
        }
        return std::nullopt;
    }

    std::optional<nonce_taker> taker(std::uint64_t nonce, std::uint64_t height) const
    {
        for (std::uint64_t i = 20; i <= height; ++i)
        {
            for (const sent_transaction& each : blocks_[i])
            {
                if (each.what.nonce == nonce)
                    return nonce_taker{each.hash, i};
            }
        }
        return std::nullopt;
    }

    std::vector<u256> minted(const std::string& uri, std::uint64_t height) const
    {
        std::vector<u256> out;
        u256 id = 0;
        for (std::uint64_t i = 20; i <= height; ++i)
        {
            for (const sent_transaction& each : blocks_[i])
            {
                if (each.minted_uri == uri)
                    out.push_back(id);
                if (!each.minted_uri.empty())
                    ++id;
            }
        }
        return out;
    }

    bool faulty = true;

private:
    evm::receipt receipt_of(const sent_transaction& of, std::uint64_t number) const
    {
        evm::receipt out;
        out.succeeded = true;
        out.block = number;
        out.block_hash = block_hash(number);
        u256 id = 0;
        for (std::uint64_t i = 20; i <= number; ++i)
        {
            for (const sent_transaction& each : blocks_[i])
            {
                if (each.hash == of.hash)
                {
                    evm::abi_values text;
                    text.add_string(of.minted_uri);
                    evm::log_entry log;
                    log.contract = registry;
                    log.topics = {erc8004::registered_topic(), evm::to_word(id), evm::to_word(sender)};
                    log.data = text.encode();
                    out.logs = {log};
                    return out;
                }
                if (!each.minted_uri.empty())
                    ++id;
            }
        }
        return out;
    }

    std::mt19937& random_;
    std::vector<std::vector<sent_transaction>> blocks_;  ///< the first twenty are before all that is tested
    std::vector<std::uint64_t> ids_;
    std::uint64_t last_id_ = 0;
    std::map<std::uint64_t, sent_transaction> pool_;
};

struct stored
{
    api::registration_request request;
    request_status status;
    int version = 0;
};

/// What a registrar keeps in its memory, and loses where it is killed.
struct memory
{
    std::map<evm::word, clock::time_point> sent;
    std::map<int, stored> seen;  ///< as its watch has told; may be behind
};

class world
{
public:
    explicit world(unsigned seed, int requests) : random_(seed), chain_(random_)
    {
        for (int i = 0; i < requests; ++i)
        {
            stored& at = store_[i];
            at.request.agent_uri = uri_of(i);
            at.request.meta.generation = 1;
        }
        settings_.name = "base-sepolia";
        settings_.confirmations = confirmations;
        settings_.max_fee_per_gas = u256(1) << 100U;
        chain_.mine();
    }

    void run(int steps, bool faulty)
    {
        chain_.faulty = faulty;
        for (int i = 0; i < steps; ++i)
        {
            now_ += std::chrono::seconds(chain_.roll(10) ? 40 : 2);
            memory& who = registrars_[faulty ? random_() % 2 : 0];
            const int which = static_cast<int>(random_() % store_.size());
            pass(who, which);
            if (chain_.roll(40))
                chain_.mine();
            if (!faulty)
                continue;
            if (chain_.roll(4))
                chain_.reorganise();
            if (chain_.roll(2))
                chain_.forget_pool();
            if (chain_.roll(3))
                who = {};
            // Somebody deletes the request once all is well, and it is made again.
            stored& victim = store_[which];
            if (chain_.roll(5) && victim.status.phase == api::registration_phase::confirmed &&
                !victim.status.under_way)
            {
                victim.status = {};
                ++victim.version;
            }
        }
    }

    /// Of each request's own URI: how many agents there are, and whether the status names the only one.
    std::string verdict() const
    {
        for (const auto& [which, at] : store_)
        {
            const auto minted = chain_.minted(uri_of(which), chain_.head());
            if (minted.size() != 1 || at.status.agent_id != minted.front())
                return fmt::format(
                    "request {}: {} agents, status {} {}",
                    which,
                    minted.size(),
                    at.status.reason,
                    at.status.message
                );
        }
        return "once each";
    }

private:
    void pass(memory& who, int which)
    {
        // A watch may be behind; two who send at once is the worst case, so each may always have its turn.
        if (!who.seen.contains(which) || !chain_.faulty || chain_.roll(60))
            who.seen[which] = store_[which];
        stored at = who.seen[which];
        chain_facts facts;
        for (int i = 0; i < 60; ++i)
        {
            if (chain_.faulty && chain_.roll(3))
                return who = {}, void();
            situation of{at.request, at.status, true, uri_of(which).substr(24), 1, sender, true, settings_};
            of.chain_id = 84532;
            of.registry = registry;
            of.has_turn = true;
            of.now = now_;
            of.facts = facts;
            if (at.status.under_way)
            {
                const auto sent = who.sent.find(at.status.under_way->hashes.back());
                if (sent != who.sent.end())
                    of.sent_last = sent->second;
            }
            const next_step step = decide(of);
            if (const auto* what = std::get_if<ask>(&step))
            {
                if (!answer(*what, of, facts))
                    return;
            }
            else if (const auto* wanted = std::get_if<tell>(&step))
            {
                if (!store(who, which, at, wanted->status) || wanted->then)
                    return;
                facts = {};
            }
            else if (const auto* todo = std::get_if<prepare>(&step))
            {
                if (!store(who, which, at, recorded(at.status, *todo)))
                    return;
                if (chain_.faulty && chain_.roll(10))
                    return who = {}, void();
                send(who, at.status);
                return;
            }
            else if (std::holds_alternative<broadcast>(step))
                return send(who, at.status);
            else
                return;
        }
        FAIL("a pass has no end");
    }

    void send(memory& who, const request_status& status)
    {
        who.sent[status.under_way->hashes.back()] = now_;
        chain_.take(status.under_way->raw);
    }

    request_status recorded(const request_status& before, const prepare& todo)
    {
        // As a remote signer may: other bytes each time.
        evm::signature_bytes signature{};
        signature[31] = static_cast<std::uint8_t>(1 + random_() % 255);
        signature[63] = 1;
        signature[64] = 27;
        const auto made = evm::with_signature(todo.transaction, signature);
        request_status out = before;
        write_ahead record = todo.replaces ? *before.under_way : write_ahead();
        record.what = todo.what;
        record.account = sender;
        record.nonce = todo.transaction.nonce;
        record.from_block = todo.from_block;
        record.hashes.push_back(made.hash);
        record.attempt = record.hashes.size();
        record.raw = made.raw;
        record.started_at = now_;
        record.in_block.reset();
        out.under_way = record;
        out.phase = api::registration_phase::submitted;
        out.sent_at = now_;
        return out;
    }

    bool store(memory& who, int which, stored& at, const request_status& wanted)
    {
        stored& live = store_[which];
        if (live.version != at.version)
        {
            who.seen[which] = live;
            return false;
        }
        live.status = wanted;
        ++live.version;
        at = live;
        who.seen[which] = live;
        return true;
    }

    /// Every question may meet another node.
    bool answer(const ask& what, const situation& of, chain_facts& into)
    {
        if (chain_.faulty && chain_.roll(5))
            return false;
        const std::uint64_t height = chain_.some_height();
        using about = ask::about;
        switch (what.what)
        {
        case about::head:
            into.head = chain_head{height, 1'000'000'000, {}};
            break;
        case about::receipts:
            into.receipts.emplace();
            for (const evm::word& each : of.status.under_way->hashes)
                into.receipts->push_back(chain_.receipt(each, chain_.some_height()));
            break;
        case about::block_hash:
            into.block_hash_of = what.block;
            into.block_hash.emplace();
            if (what.block <= height && what.block >= 20)
                *into.block_hash = chain_.block_hash(what.block);
            break;
        case about::mined_nonces:

            into.mined_nonces = chain_.count_at(height);
            break;
        case about::taker:
            into.taker = chain_.taker(of.status.under_way->nonce, std::min(height, of.facts.head->number));
            break;
        case about::known:
            into.known = chain_.waits(of.status.under_way->hashes.back());
            break;
        case about::earlier: {
            // A node that lacks the block refuses.
            if (height < of.facts.head->number)
                return false;
            const auto minted = chain_.minted(of.request.agent_uri, of.facts.head->number);
            into.earlier = earlier_mint{true, {}, {}, chain_.count_at(of.facts.head->number)};
            if (!minted.empty())
                into.earlier->agent_id = minted.front();
            break;
        }
        case about::agent:
            into.agent = agent_on_chain{sender, of.request.agent_uri};
            break;
        case about::metadata:
            into.metadata[what.key] = {};
            break;
        case about::estimate:
            into.gas = 160'000;
            break;
        case about::priority_fee:
            into.priority_fee = 1'000'000;
            break;
        case about::balance:
            into.balance = u256(1) << 200U;
            break;
        }
        return true;
    }

    std::mt19937 random_;
    model_chain chain_;
    config::chain settings_;
    std::map<int, stored> store_;
    std::map<int, memory> registrars_;
    clock::time_point now_{std::chrono::seconds(1'800'000'000)};
};

}  // namespace

TEST_CASE("one registration, whatever dies, lags or is taken back", "[registrar]")
{
    for (unsigned seed = 0; seed < 500; ++seed)
    {
        CAPTURE(seed);
        world all(seed, 1 + static_cast<int>(seed % 3));
        all.run(150, true);
        all.run(300, false);
        REQUIRE(all.verdict() == "once each");
    }
}
