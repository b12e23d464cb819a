#include "catch.hpp"
#include "roles/registrar/agent_document.hpp"
#include "roles/registrar/next_step.hpp"

#include <portitor/evm/abi.hpp>
#include <portitor/evm/eip712.hpp>

using namespace portitor;
using namespace portitor::registrar;
using namespace std::chrono_literals;
using api::registration_phase;

namespace {

const evm::address sender = evm::address::parse("0x70997970c51812dc3a010c7d01b50e0d17dc79c8").value();
const evm::address stranger = evm::address::parse("0x3c44cdddb6a900fa2b585dd299e03d12fa4293bc").value();
const evm::address registry = evm::address::parse("0x8004a818bfb912233c491871b3d84c89a494bd9e").value();
const std::string uri = "https://api.example.com/.well-known/agent-registration/u-1.json";
const clock::time_point noon{std::chrono::seconds(1'800'000'000)};

evm::word block_hash(std::uint64_t number)
{
    return evm::to_word(u256(number));
}

/// A request of agent 0 in all its parts, to be bent by each case.
struct desk
{
    api::registration_request request;
    request_status status;
    config::chain chain;
    chain_facts facts;
    bool owned = true;
    bool can_sign = true;
    bool has_turn = true;
    bool taken = false;
    bool hand_back = false;
    bool must_bump = false;
    std::optional<clock::time_point> refused_since;
    std::optional<std::string> limit;
    u256 low_balance = 1'000;
    std::uint64_t least_nonce = 0;
    std::optional<clock::time_point> sent_last = noon - 2s;

    desk()
    {
        chain.name = "base-sepolia";
        chain.confirmations = 3;
        request.name = "Hello";
        request.agent_uri = uri;
        request.meta.generation = 4;
    }

    next_step decide() const
    {
        situation of{request, status, owned, "u-1.json", 1, sender, can_sign, chain};
        of.chain_id = 84532;
        of.registry = registry;
        of.hand_back = hand_back;
        of.identity_taken = taken;
        of.min_interval = 300s;
        of.low_balance = low_balance;
        of.least_nonce = least_nonce;
        of.has_turn = has_turn;
        of.must_bump = must_bump;
        of.refused_since = refused_since;
        of.limit_of_changes = limit;
        of.sent_last = sent_last;
        of.now = noon;
        of.facts = facts;
        return registrar::decide(of);
    }

    /// All that a node has to say before something is sent.
    void node_tells_all()
    {
        facts.mined_nonces = 7;
        facts.balance = u256(1) << 100U;
        facts.head = chain_head{100, 1'000'000'000, u256(2'000'000)};
        facts.earlier = earlier_mint{true, {}, {}, 7};
        facts.gas = 160'000;
    }

    void under_way(operation what = operation::mint)
    {
        evm::transaction sent{84532, 7, 1'000'000, 2'001'000'000, 192'000, registry, 0, {1, 2, 3}};
        evm::signature_bytes signature{};
        signature[31] = signature[63] = 1;
        signature[64] = 27;
        const auto made = evm::with_signature(sent, signature);
        write_ahead record;
        record.what = what;
        record.account = sender;
        record.nonce = 7;
        record.hashes = {made.hash};
        record.raw = made.raw;
        record.from_block = 80;
        record.started_at = noon - 10s;
        status.under_way = record;
        status.phase = registration_phase::submitted;
        status.sent_at = noon - 10s;
    }

    /// It is in block 100, and the head there too.
    evm::receipt& mined()
    {
        evm::receipt receipt;
        receipt.succeeded = true;
        receipt.block = 100;
        receipt.block_hash = block_hash(100);
        evm::abi_values text;
        text.add_string(uri);
        evm::log_entry log;
        log.contract = registry;
        log.topics = {erc8004::registered_topic(), evm::to_word(u256(0)), evm::to_word(sender)};
        log.data = text.encode();
        receipt.logs = {log};
        facts.receipts = {receipt};
        facts.head = chain_head{100, 1'000'000'000, {}};
        facts.block_hash_of = 100;
        facts.block_hash = std::optional(block_hash(100));
        return *facts.receipts->front();
    }

    void registered(std::string live_uri = uri)
    {
        status.agent_id = u256(0);
        status.transaction = evm::to_word(u256(9));
        facts.agent = agent_on_chain{sender, std::move(live_uri)};
    }
};

std::string name_of(ask::about what)
{
    static const char* names[] = {
        "head",
        "receipts",
        "block_hash",
        "mined_nonces",
        "taker",
        "known",
        "earlier",
        "agent",
        "metadata",
        "estimate",
        "priority_fee",
        "balance"};
    return names[static_cast<int>(what)];
}

/// A step in words: "ask head", "tell Submitted FeesTooHigh 15000", "send register", "rest 500".
std::string words(const next_step& step)
{
    const auto after = [](const std::optional<std::chrono::milliseconds>& time) {
        return time ? fmt::format(" {}", time->count()) : std::string();
    };
    if (const auto* what = std::get_if<ask>(&step))
        return "ask " + name_of(what->what);
    if (const auto* what = std::get_if<tell>(&step))
        return fmt::format(
            "tell {} {}{}", api::to_string(what->status.phase), what->status.reason, after(what->then)
        );
    if (const auto* what = std::get_if<prepare>(&step))
        return fmt::format("{} {}", what->replaces ? "replace" : "send", to_string(what->what));
    if (std::holds_alternative<take_turn>(step))
        return "take turn";
    if (std::holds_alternative<broadcast>(step))
        return "broadcast";
    return "rest" + after(std::get<rest>(step).for_time);
}

std::string words(const desk& of)
{
    return words(of.decide());
}

}  // namespace

TEST_CASE("mint: what is asked, in which order, and what is sent", "[registrar]")
{
    desk of;
    of.has_turn = false;
    CHECK(words(of) == "take turn");
    of.has_turn = true;
    CHECK(words(of) == "ask balance");
    of.facts.balance = u256(1) << 100U;
    CHECK(words(of) == "ask head");
    of.facts.head = chain_head{100, 1'000'000'000, {}};
    CHECK(words(of) == "ask earlier");
    of.facts.earlier = earlier_mint{true, {}, {}, 7};
    CHECK(words(of) == "ask estimate");
    of.facts.gas = 160'000;
    CHECK(words(of) == "ask priority_fee");
    of.facts.priority_fee = 2'000'000;
    const auto step = of.decide();
    REQUIRE(words(step) == "send register");
    const auto& sent = std::get<prepare>(step).transaction;
    CHECK(sent.nonce == 7);
    CHECK(sent.chain_id == 84532);
    CHECK(sent.to == registry);
    CHECK(sent.gas_limit == 192'000);
    CHECK(sent.max_priority_fee == 2'000'000);
    CHECK(sent.max_fee == 2'002'000'000);
    CHECK(sent.data == erc8004::register_call(uri));
    CHECK(std::get<prepare>(step).from_block == 84);
}

TEST_CASE("mint: what keeps it from being sent", "[registrar]")
{
    desk of;
    of.node_tells_all();
    SECTION("a node that counts fewer transactions than are in blocks")
    {
        of.least_nonce = 8;
        CHECK(words(of) == "tell Pending NodeUnreachable 5000");
    }
    SECTION("its nonce is that of the block in which the search ended")
    {
        of.facts.earlier->nonces = 9;
        CHECK(std::get<prepare>(of.decide()).transaction.nonce == 9);
    }
    SECTION("more than fits a transaction, or the status")
    {
        of.facts.gas = 16'777'217;
        CHECK(words(of) == "tell Failed TooLarge");
        of.facts.gas = 15'000'000;
        CHECK(std::get<prepare>(of.decide()).transaction.gas_limit == 16'777'216);
        of.request.metadata = {{"key", std::string(31'000, 'x')}};
        CHECK(words(of) == "tell Failed TooLarge");
        of.request.metadata = {{std::string(65, 'k'), "x"}};
        CHECK(words(of) == "tell Failed TooLarge");
    }
    SECTION("a node that cannot say that there was none before")
    {
        of.facts.earlier->certain = false;
        CHECK(words(of) == "tell Pending NodeUnreachable 5000");
    }
    SECTION("a search that takes several questions goes on soon")
    {
        of.facts.earlier->certain = false;
        of.facts.earlier->so_far = search_progress{10, 20, 100};
        CHECK(words(of) == "tell Pending Pending 1000");
    }
    SECTION("one that was minted before is taken, agent 0 too")
    {
        of.facts.earlier->agent_id = u256(0);
        const auto step = of.decide();
        REQUIRE(words(step) == "tell Pending Pending");
        CHECK(std::get<tell>(step).status.agent_id == u256(0));
    }
    SECTION("an account that has too little")
    {
        of.facts.balance = 999;
        CHECK(words(of) == "tell Pending LowBalance 60000");
    }
    SECTION("an account that has less than this may cost")
    {
        of.facts.balance = 192'000 * u256(2'002'000'000) - 1;
        CHECK(words(of) == "tell Pending LowBalance 60000");
        *of.facts.balance += 1;
        CHECK(words(of) == "send register");
    }
    SECTION("gas that costs more than allowed")
    {
        of.chain.max_fee_per_gas = 2'001'999'999;
        CHECK(words(of) == "tell Pending FeesTooHigh 60000");
    }
    SECTION("a contract that refuses")
    {
        of.facts.gas.reset();
        of.facts.revert = "Not authorized";
        const auto step = of.decide();
        REQUIRE(words(step) == "tell Failed Reverted");
        CHECK(std::get<tell>(step).status.message.find("Not authorized") != std::string::npos);
        // It is left alone for minutes that double.
        of.status = std::get<tell>(step).status;
        CHECK(words(of) == "rest 300000");
        of.status.failures = 3;
        CHECK(words(of) == "rest 1200000");
    }
    SECTION("a limit of the day, before anybody is asked")
    {
        of.has_turn = false;
        of.limit = "the namespace has sent 50 of 50";
        CHECK(words(of) == "tell Pending LimitReached 600000");
    }
    SECTION("a key that is not there")
    {
        of.can_sign = false;
        CHECK(words(of) == "tell Pending NoKey 60000");
    }
    SECTION("an offer that is not there")
    {
        of.owned = false;
        CHECK(words(of) == "tell Pending Unowned");
    }
}

TEST_CASE("under way: waiting, sending again, replacing", "[registrar]")
{
    desk of;
    of.under_way();
    CHECK(words(of) == "ask receipts");
    of.facts.receipts = std::vector<std::optional<evm::receipt>>(1);
    CHECK(words(of) == "ask mined_nonces");
    of.facts.mined_nonces = 7;
    SECTION("it is waited for")
    {
        CHECK(words(of) == "tell Submitted Submitted 2500");
    }
    SECTION("a process that has not sent it itself sends it first")
    {
        of.sent_last.reset();
        CHECK(words(of) == "broadcast");
    }
    SECTION("the same bytes again after a while")
    {
        of.sent_last = noon - 15s;
        CHECK(words(of) == "broadcast");
    }
    SECTION("a dearer one after a minute")
    {
        of.status.under_way->started_at = noon - 60s;
        CHECK(words(of) == "ask head");
        of.facts.head = chain_head{100, 1'000'000'000, {}};
        CHECK(words(of) == "ask priority_fee");
        // What pays enough is only sent again.
        of.facts.priority_fee = 1'000'000;
        CHECK(words(of) == "tell Submitted Submitted 5000");
        of.facts.head->base_fee = 2'000'000'001;
        CHECK(words(of) == "ask balance");
        of.facts.balance = 1'000'000;
        CHECK(words(of) == "tell Submitted LowBalance 15000");
        of.facts.balance = u256(1) << 100U;
        const auto step = of.decide();
        REQUIRE(words(step) == "replace register");
        const auto& sent = std::get<prepare>(step).transaction;
        CHECK(sent.nonce == 7);
        CHECK(sent.max_priority_fee == 1'125'000);
        CHECK(sent.max_fee == 4'001'000'002);
        CHECK(sent.data == evm::bytes{1, 2, 3});
        SECTION("not without its key")
        {
            of.can_sign = false;
            CHECK(words(of) == "tell Submitted Submitted 5000");
        }
        SECTION("not above the ceiling")
        {
            of.chain.max_fee_per_gas = 4'001'000'001;
            CHECK(words(of) == "tell Submitted FeesTooHigh 15000");
        }
        SECTION("not more often than the status has room for")
        {
            const evm::word last = of.status.under_way->hashes.back();
            of.status.under_way->hashes.assign(32, last);
            of.facts.receipts = std::vector<std::optional<evm::receipt>>(32);
            CHECK(words(of) == "tell Submitted Submitted 5000");
        }
    }
    SECTION("what nodes refuse for good gives its nonce away")
    {
        of.refused_since = noon - 119s;
        // Nor is it made dearer meanwhile.
        of.status.under_way->started_at = noon - 110s;
        CHECK(words(of) == "tell Submitted Submitted 5000");
        of.refused_since = noon - 120s;
        of.facts.head = chain_head{100, 1'000'000'000, u256(1)};
        of.facts.balance = 100'000 * u256(4'000'000'000);
        CHECK(words(of) == "ask known");
        of.facts.known = true;
        CHECK(words(of) == "tell Submitted Submitted 5000");
        of.facts.known = false;
        const auto step = of.decide();
        REQUIRE(words(step) == "replace register");
        const auto& todo = std::get<prepare>(step);
        CHECK(todo.cancels);
        CHECK(todo.transaction.nonce == 7);
        CHECK(todo.transaction.to == sender);
        CHECK(todo.transaction.data.empty());
        CHECK(todo.transaction.value == 0);
        // Once is enough; what takes its place later does the same.
        of.status.under_way->canceled_from = 1;
        CHECK(words(of) == "tell Submitted Submitted 5000");
        of.can_sign = false;
        of.status.under_way->canceled_from = 0;
        CHECK(words(of) == "tell Submitted Submitted 5000");
    }
    SECTION("at once where a node found it too cheap")
    {
        of.must_bump = true;
        of.facts.head = chain_head{100, 1'000'000'000, u256(1)};
        of.facts.balance = u256(1) << 100U;
        const auto step = of.decide();
        REQUIRE(words(step) == "replace register");
        CHECK(std::get<prepare>(step).transaction.max_fee == 2'251'125'000);
        CHECK(std::get<prepare>(step).transaction.max_priority_fee == 2'250'000);
        of.chain.max_fee_per_gas = 2'250'000'000;
        CHECK(std::get<prepare>(of.decide()).transaction.max_fee == 2'250'000'000);
        // Less and less soon.
        const evm::word last = of.status.under_way->hashes.back();
        of.status.under_way->hashes.assign(5, last);
        of.facts.receipts = std::vector<std::optional<evm::receipt>>(5);
        CHECK(words(of) == "tell Submitted Submitted 2500");
    }
}

TEST_CASE("under way: a nonce that another transaction took", "[registrar]")
{
    desk of;
    of.under_way();
    of.facts.receipts = std::vector<std::optional<evm::receipt>>(1);
    of.facts.mined_nonces = 8;
    CHECK(words(of) == "ask head");
    of.facts.head = chain_head{100, 1'000'000'000, {}};
    CHECK(words(of) == "ask taker");
    SECTION("nobody shows which: a count proves nothing")
    {
        of.facts.taker = std::optional<nonce_taker>();
        CHECK(words(of) == "rest 2500");
        of.status.under_way->started_at = noon - 120s;
        CHECK(words(of) == "tell Submitted NodeUnreachable 60000");
    }
    SECTION("it is this very one, and its receipt is late")
    {
        of.facts.taker = nonce_taker{of.status.under_way->hashes.front(), 90};
        CHECK(words(of) == "rest 2500");
    }
    of.facts.taker = nonce_taker{evm::to_word(u256(77)), 99};
    SECTION("not deep enough")
    {
        CHECK(words(of) == "rest 2500");
    }
    of.facts.taker->value().block = 98;
    SECTION("deep enough: a mint is looked for before another one is sent")
    {
        CHECK(words(of) == "ask earlier");
        of.facts.earlier = earlier_mint{false, {}, {}, 0};
        CHECK(words(of) == "rest 5000");
        of.facts.earlier = earlier_mint{true, {}, {}, 8};
        const auto step = of.decide();
        REQUIRE(words(step) == "tell Pending NonceTaken");
        CHECK_FALSE(std::get<tell>(step).status.under_way);
        of.facts.earlier->agent_id = u256(0);
        const auto found = of.decide();
        CHECK(std::get<tell>(found).status.agent_id == u256(0));
    }
    SECTION("deep enough: a change is simply made again")
    {
        of.under_way(operation::set_uri);
        of.status.agent_id = u256(0);
        CHECK(words(of) == "tell Pending NonceTaken");
    }
}

TEST_CASE("mined: confirmations, and blocks that go", "[registrar]")
{
    desk of;
    of.under_way();
    auto& receipt = of.mined();
    SECTION("its block must be in the chain")
    {
        of.facts.block_hash.reset();
        CHECK(words(of) == "ask block_hash");
        of.facts.block_hash = std::optional<evm::word>();
        CHECK(words(of) == "rest 2500");
        of.facts.block_hash = std::optional(block_hash(5));
        CHECK(words(of) == "rest 2500");
    }
    SECTION("a receipt from ahead of the head")
    {
        of.facts.head->number = 99;
        CHECK(words(of) == "rest 2500");
    }
    SECTION("seen, and waited for")
    {
        const auto step = of.decide();
        REQUIRE(words(step) == "tell Submitted Submitted 2500");
        CHECK(
            std::get<tell>(step).status.under_way->in_block ==
            mined{of.status.under_way->hashes.front(), 100, block_hash(100)}
        );
        CHECK_FALSE(holds_nonce(std::get<tell>(step).status));
        of.facts.head->number = 101;
        CHECK(words(of) == "tell Submitted Submitted 2500");
        of.facts.head->number = 102;
        CHECK(words(of) == "tell Confirmed Confirmed");
    }
    of.facts.head->number = 102;
    SECTION("agent 0 is one")
    {
        const auto step = of.decide();
        REQUIRE(words(step) == "tell Confirmed Confirmed");
        const auto& status = std::get<tell>(step).status;
        CHECK(status.agent_id == u256(0));
        CHECK(status.under_way->confirmed);
        CHECK(status.transaction == of.status.under_way->hashes.front());
        // Its data is not what this request would mint: the rest is looked at.
        CHECK(status.observed_generation == 0);
    }
    SECTION("a mint of all that is wanted ends there")
    {
        auto sent = evm::read_signed(of.status.under_way->raw).value();
        sent.data = erc8004::register_call(uri);
        evm::signature_bytes signature{};
        signature[31] = signature[63] = 1;
        signature[64] = 27;
        const auto made = evm::with_signature(sent, signature);
        of.status.under_way->raw = made.raw;
        of.status.under_way->hashes = {made.hash};
        const auto step = of.decide();
        REQUIRE(words(step) == "tell Confirmed Confirmed");
        CHECK(std::get<tell>(step).status.observed_generation == 4);
    }
    SECTION("a transaction that only took the nonce made no agent")
    {
        of.status.under_way->canceled_from = 1;
        const auto step = of.decide();
        REQUIRE(words(step) == "tell Failed Refused");
        CHECK_FALSE(std::get<tell>(step).status.under_way);
        CHECK_FALSE(std::get<tell>(step).status.agent_id);
        // The first one was mined after all.
        of.status.under_way->canceled_from = 2;
        CHECK(words(of) == "tell Confirmed Confirmed");
    }
    SECTION("refused by the contract")
    {
        receipt.succeeded = false;
        const auto step = of.decide();
        REQUIRE(words(step) == "tell Failed Reverted");
        CHECK_FALSE(std::get<tell>(step).status.under_way);
        CHECK(std::get<tell>(step).status.failures == 1);
    }
    SECTION("no word of the registry, or one of another contract or for another owner")
    {
        const int which = GENERATE(0, 1, 2);
        if (which == 0)
            receipt.logs.clear();
        else if (which == 1)
            receipt.logs.front().contract = stranger;
        else
            receipt.logs.front().topics[2] = evm::to_word(stranger);
        const auto step = of.decide();
        REQUIRE(words(step) == "tell Failed NoRegistry 600000");
        CHECK_FALSE(std::get<tell>(step).status.agent_id);
        // It may be an agent all the same: nothing is minted beside it.
        of.status = std::get<tell>(step).status;
        CHECK(words(of) == "rest 600000");
    }
    SECTION("a receipt that is gone")
    {
        of.status.under_way->in_block = mined{of.status.under_way->hashes.front(), 100, block_hash(100)};
        of.facts.receipts = std::vector<std::optional<evm::receipt>>(1);
        // Either the node lags, or it keeps the block without an index of it.
        CHECK(words(of) == "rest 5000");
        of.facts.head->number = 90;
        CHECK(words(of) == "rest 5000");
        of.facts.head->number = 102;
        of.facts.block_hash = std::optional(block_hash(5));
        const auto step = of.decide();
        REQUIRE(words(step) == "tell Submitted Submitted");
        CHECK(holds_nonce(std::get<tell>(step).status));
        CHECK(std::get<tell>(step).status.under_way->hashes == of.status.under_way->hashes);
    }
}

TEST_CASE("confirmed: the block is looked at once more", "[registrar]")
{
    desk of;
    of.under_way();
    of.mined();
    of.registered();
    of.status.phase = registration_phase::confirmed;
    of.status.observed_generation = 4;
    of.status.under_way->in_block = mined{of.status.under_way->hashes.front(), 100, block_hash(100)};
    of.status.under_way->confirmed = true;
    CHECK(words(of) == "rest 110000");
    of.status.under_way->started_at = noon - 120s;
    const auto step = of.decide();
    REQUIRE(words(step) == "tell Confirmed ");
    CHECK_FALSE(std::get<tell>(step).status.under_way);
    of.facts.receipts = std::vector<std::optional<evm::receipt>>(1);
    of.facts.block_hash = std::optional(block_hash(5));
    CHECK(words(of) == "tell Submitted Submitted");
}

TEST_CASE("registered: only what differs is changed", "[registrar]")
{
    desk of;
    of.registered();
    of.node_tells_all();
    of.request.metadata = {{"colour", "blue"}, {"shape", "round"}};
    SECTION("nothing is asked where all is told")
    {
        of.status.phase = registration_phase::confirmed;
        of.status.observed_generation = 4;
        of.facts = {};
        CHECK(words(of) == "rest");
    }
    SECTION("all is as it should be")
    {
        CHECK(words(of) == "ask metadata");
        of.facts.metadata["colour"] = {'b', 'l', 'u', 'e'};
        CHECK(words(of) == "ask metadata");
        of.facts.metadata["shape"] = {'r', 'o', 'u', 'n', 'd'};
        const auto step = of.decide();
        REQUIRE(words(step) == "tell Confirmed Confirmed");
        CHECK(std::get<tell>(step).status.observed_generation == 4);
    }
    SECTION("one entry differs")
    {
        of.facts.metadata["colour"] = {'b', 'l', 'u', 'e'};
        of.facts.metadata["shape"] = {};
        const auto step = of.decide();
        REQUIRE(words(step) == "send setMetadata");
        CHECK(std::get<prepare>(step).key == "shape");
        const std::string round = "round";
        CHECK(
            std::get<prepare>(step).transaction.data ==
            erc8004::set_metadata_call(0, "shape", evm::bytes(round.begin(), round.end()))
        );
        // The first change need not wait, later ones must.
        of.status.sent_at = noon - 100s;
        CHECK(words(of) == "send setMetadata");
        of.status.changed_at = noon - 100s;
        CHECK(words(of) == "tell Pending Pending 200000");
    }
    SECTION("the URI differs")
    {
        of.facts.agent = agent_on_chain{sender, "https://elsewhere.example"};
        CHECK(words(of) == "send setAgentURI");
    }
    SECTION("somebody else owns it")
    {
        of.facts.agent = agent_on_chain{stranger, uri};
        CHECK(words(of) == "tell Failed NotOwner 600000");
    }
    SECTION("a node that does not know it proves nothing")
    {
        of.facts.agent = std::optional<agent_on_chain>();
        of.least_nonce = 8;
        CHECK(words(of) == "tell Pending NodeUnreachable 5000");
    }
    SECTION("one that the chain has taken back is minted again, one with another number is known by it")
    {
        of.facts.agent = std::optional<agent_on_chain>();
        // Not by what a node has not: another account may have minted it.
        CHECK(words(of) == "tell Pending NodeUnreachable 5000");
        of.under_way();
        of.status.under_way->in_block = mined{of.status.under_way->hashes.front(), 100, block_hash(100)};
        of.status.under_way->confirmed = true;
        const auto step = of.decide();
        REQUIRE(words(step) == "tell Pending Pending");
        CHECK_FALSE(std::get<tell>(step).status.agent_id);
        of.facts.agent = agent_on_chain{stranger, uri};
        of.facts.earlier->agent_id = u256(3);
        CHECK(std::get<tell>(of.decide()).status.agent_id == u256(3));
        // Taken over, not minted: there is nothing to find.
        of.status.previous_uri = "";
        CHECK(words(of) == "tell Failed NotOwner 600000");
    }
    SECTION("the document on chain: after the mint at once, later once an hour")
    {
        of.request.metadata.clear();
        of.request.document = R"({"name":"Hello"})";
        of.status.sent_at = noon - 10s;
        const auto step = of.decide();
        REQUIRE(words(step) == "send setAgentURI");
        const auto target = document_uri(of.request.document, {84532, registry, 0}).value();
        CHECK(std::get<prepare>(step).transaction.data == erc8004::set_agent_uri_call(0, target));
        of.status.changed_at = noon - 3000s;
        CHECK(words(of) == "tell Pending Pending 600000");
        of.status.changed_at = noon - 3600s;
        of.status.sent_at = noon - 3600s;
        CHECK(words(of) == "send setAgentURI");
        of.facts.agent = agent_on_chain{sender, target};
        CHECK(words(of) == "tell Confirmed Confirmed");
    }
}

TEST_CASE("adoption", "[registrar]")
{
    desk of;
    of.request.agent_id = "0";
    CHECK(words(of) == "ask agent");
    of.facts.agent = agent_on_chain{sender, "ipfs://before"};
    SECTION("one that the account owns")
    {
        const auto step = of.decide();
        REQUIRE(words(step) == "tell Pending Pending");
        CHECK(std::get<tell>(step).status.agent_id == u256(0));
        CHECK(std::get<tell>(step).status.previous_uri == "ipfs://before");
    }
    SECTION("one that an older request has")
    {
        of.taken = true;
        CHECK(words(of) == "tell Failed IdentityTaken 60000");
    }
    SECTION("somebody else's, or none")
    {
        of.facts.agent = agent_on_chain{stranger, ""};
        CHECK(words(of) == "tell Failed NotOwner 60000");
        of.facts.agent = std::optional<agent_on_chain>();
        CHECK(words(of) == "tell Failed NotOwner 60000");
    }
    SECTION("an offer does not become another agent")
    {
        of.status.agent_id = u256(5);
        CHECK(words(of) == "tell Failed IdentityFixed");
        of.request.agent_id = "005";
        CHECK(words(of) != "tell Failed IdentityFixed");
    }
}

TEST_CASE("retirement", "[registrar]")
{
    desk of;
    of.request.state = api::desired_state::retired;
    of.owned = false;
    SECTION("nothing was registered")
    {
        CHECK(words(of) == "tell Retired Retired");
    }
    of.registered();
    of.node_tells_all();
    const auto target = retired_uri("Hello", {84532, registry, 0});
    SECTION("it says on chain that it is no more")
    {
        const auto step = of.decide();
        REQUIRE(words(step) == "send retire");
        CHECK(std::get<prepare>(step).transaction.data == erc8004::set_agent_uri_call(0, target));
        of.facts.agent = agent_on_chain{sender, target};
        CHECK(words(of) == "tell Retired Retired");
    }
    SECTION("what was transferred is not ours to change")
    {
        of.facts.agent = agent_on_chain{stranger, uri};
        CHECK(words(of) == "tell Retired Retired");
    }
    SECTION("an agent that was not registered for this request is left alone")
    {
        of.facts.agent = agent_on_chain{sender, "https://api.example.com/another.json"};
        of.facts.earlier->agent_id = u256(3);
        CHECK(words(of) == "tell Retired Retired");
        of.facts.earlier->agent_id = u256(0);
        CHECK(words(of) == "send retire");
        of.facts.earlier.reset();
        CHECK(words(of) == "ask earlier");
    }
    SECTION("an adopted one keeps its URI, or gets its own one back")
    {
        of.request.agent_id = "0";
        of.status.previous_uri = "ipfs://before";
        CHECK(words(of) == "tell Retired Retired");
        of.hand_back = true;
        const auto step = of.decide();
        REQUIRE(words(step) == "send retire");
        CHECK(std::get<prepare>(step).transaction.data == erc8004::set_agent_uri_call(0, "ipfs://before"));
    }
    SECTION("a mint that is under way is followed to its end first")
    {
        of.status.agent_id.reset();
        of.under_way();
        CHECK(words(of) == "ask receipts");
        of.mined();
        of.facts.head->number = 102;
        CHECK(words(of) == "tell Submitted Retiring");
    }
    SECTION("a refusal is not repeated at once")
    {
        of.facts.gas.reset();
        of.facts.revert = "";
        const auto step = of.decide();
        REQUIRE(words(step) == "tell Failed Reverted");
        of.status = std::get<tell>(step).status;
        CHECK(words(of) == "rest 300000");
    }
}
