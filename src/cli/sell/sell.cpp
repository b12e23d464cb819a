#include "cli/sell/sell.hpp"

#include "cli/sell/create.hpp"
#include "cli/sell/delete.hpp"
#include "cli/sell/list.hpp"
#include "cli/sell/predecessor.hpp"
#include "cli/sell/register.hpp"
#include "cli/sell/resume.hpp"
#include "cli/sell/status.hpp"
#include "cli/sell/stop.hpp"
#include "cli/sell/test.hpp"

namespace portitor::cli {

command sell_command()
{
    command http{"http", "sells an HTTP service of the cluster by the request", &sell::make_http};
    http.examples = {
        {"A Service, for 0.001 USDC a request on Base Sepolia",
         "portitor sell http hello -n sellers --upstream hello --port 9000 --price 0.001 --pay-to 0x…"},
        {"One path free, another at a price of its own",
         "portitor sell http hello --upstream hello --price 0.001 --pay-to 0x… --route path=/docs,gate=free "
         "--route path=/report,price=0.5"},
        {"Only the manifest, for a repository",
         "portitor sell http hello --upstream hello --price 0.001 --pay-to 0x… --dry-run > offer.yaml"},
    };
    command inference{
        "inference", "sells a model that a Service of the cluster serves", &sell::make_inference};
    inference.examples = {
        {"A model in Ollama",
         "portitor sell inference llama -n llm --model llama3:8b --runtime ollama --upstream ollama "
         "--price 0.001 --pay-to 0x…"},
        {"By the million tokens",
         "portitor sell inference qwen --model qwen3 --runtime vllm --upstream vllm --port 8000 "
         "--per-mtok 2 --pay-to 0x…"},
    };
    command list{"list", "lists offers", &sell::make_list};
    list.examples = {{"Of all namespaces, with who is paid", "portitor sell list -A -o wide"}};
    command status{
        "status",
        "shows how an offer stands, and what to do; exit code 1 where it is not Ready",
        &sell::make_status};
    status.examples = {
        {"One offer", "portitor sell status hello -n sellers"},
        {"All, with their problems", "portitor sell status -A"},
        {"Until it is ready", "portitor sell status hello -n sellers --watch --timeout 2m"},
    };
    command test{
        "test",
        "asks an offer without paying, judges the answer, and pays once if told so",
        &sell::make_test};
    test.examples = {
        {"At its public URL", "portitor sell test hello -n sellers"},
        {"At the gateway itself", "portitor sell test hello -n sellers --url http://10.0.0.7:8000"},
        {"With a payment, on a test network", "portitor sell test hello -n sellers --key-file ~/.test-key"},
    };
    command stop{
        "stop",
        "ends an offer: it stays paid for the grace period, and is then taken down",
        &sell::make_stop};
    stop.examples = {
        {"In an hour", "portitor sell stop hello -n sellers"},
        {"At once, from a script", "portitor sell stop hello -n sellers --now --yes"},
    };
    command resume{"resume", "sells a stopped offer again", &sell::make_resume};
    resume.examples = {
        {"Before its grace period is over, or after", "portitor sell resume hello -n sellers"}};
    command remove{"delete", "deletes an offer and all that was made of it", &sell::make_delete};
    remove.examples = {{"From a script", "portitor sell delete hello -n sellers --yes"}};
    command enlist{
        "register", "registers an offer as an agent (ERC-8004), or ends that", &sell::make_register};
    enlist.examples = {
        {"With a name", "portitor sell register hello -n sellers --name \"Hello service\" --skills greeting"},
        {"No more", "portitor sell register hello -n sellers --disable"},
    };
    for (command* each : {&http, &inference, &test, &stop, &resume, &remove, &enlist})
        each->acts = true;
    command out{
        "sell",
        "makes offers of services, shows how they stand, ends them",
        nullptr,
        {http, inference, list, status, test, stop, resume, remove, enlist}};
    out.replaced = sell::replaced_subcommands();
    return out;
}

}  // namespace portitor::cli
