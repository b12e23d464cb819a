#include "cli/command.hpp"

#include "cli/doctor/doctor.hpp"
#include "cli/explain/explain.hpp"
#include "cli/once/once.hpp"
#include "cli/pay/pay.hpp"
#include "cli/reference/reference.hpp"
#include "cli/release_finalizers.hpp"
#include "cli/sales/sales.hpp"
#include "cli/sell/sell.hpp"
#include "cli/version/version.hpp"

namespace portitor::cli {

const std::vector<command>& all_commands()
{
    static const std::vector<command> entries{
        sell_command(),

        sales_command(),

        {.name = "pay",
         .summary = "asks a URL, and pays for it by x402 where it costs something",
         .make = &make_pay,
         .examples =
             {{"what it costs", "portitor pay https://shop.example/services/hello"},
              {"buy it", "portitor pay https://shop.example/services/hello --key-file ~/.test-key"},
              {"buy an answer to a question",
               "portitor pay https://shop.example/services/llm -d @question.json --max-amount 0.05 "
               "--key-file ~/.test-key"}},
         .acts = true},

        {.name = "explain",
         .summary = "says which route, offer and price would apply to a request, and why",
         .make = &make_explain,
         .examples =
             {{"A URL of the gateway", "portitor explain https://api.example.com/services/hello/report"},
              {"A path, and what its buyer is told", "portitor explain /services/hello --show-402"}}},

        {.name = "once",
         .summary = "shows what would be made of an offer, and writes nothing",
         .make = &make_once,
         .is_role = true,
         .examples =
             {{"what would change in the cluster", "portitor once -A"},
              {"what a file would come to, beside all that is live", "portitor once -f offer.yaml"},
              {"the same without a cluster", "portitor once --local -f offers/"},
              {"the predecessor's prices beside Portitor's", "portitor once --compare x402/x402-pricing"}},
         .usage_exit_code = 1},

        {.name = "doctor",
         .summary = "looks at an installation from all sides, and says what is wrong and what to do",
         .make = &make_doctor,
         .examples =
             {{"All of it, by the settings of the release's ConfigMap", "portitor doctor"},
              {"Two areas, for a program", "portitor doctor --only gateway --only gate -o json"},
              {"The rights that the roles need", "portitor doctor --rights"}}},

        {.name = "completion",
         .summary = "prints the completion script of a shell",
         .make = &make_completion,
         .examples =
             {{"completes in this shell", "source <(portitor completion bash)"},
              {"in every fish", "portitor completion fish > ~/.config/fish/completions/portitor.fish"}}},

        {.name = "man", .summary = "prints the manual page", .make = &make_man},

        {.name = "version",
         .summary = "says which version this is, and how it was built",
         .make = &make_version},

        {.name = "release-finalizers",
         .summary = "before an uninstall: stops the controller and lets go of every object that it holds",
         .make = &make_release_finalizers,
         .examples =
             {{"What would be let go, and what stays on chain", "portitor release-finalizers --dry-run"},
              {"Of a release in another namespace",
               "portitor release-finalizers --release-namespace payments"}},
         .acts = true},
    };
    return entries;
}

}  // namespace portitor::cli
