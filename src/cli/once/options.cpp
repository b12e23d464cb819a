#include "cli/once/options.hpp"

#include "cli/options/shared.hpp"

#include <portitor/config/common_options.hpp>
#include <portitor/config/setters.hpp>

#include <algorithm>

namespace portitor::cli::once {

namespace {

config::option with_letter(config::option out, char letter)
{
    out.letter = letter;
    return out;
}

// "hello" or "shop/hello".
bool names_an_offer(const std::string& text)
{
    const std::size_t slash = text.find('/');
    return !text.empty() && slash != 0 && slash + 1 != text.size() &&
           (slash == text.npos || text.find('/', slash + 1) == text.npos);
}

}  // namespace

void options::declare(config::loader& into)
{
    settings.declare(into);
    kube.declare(into);
    const config::headed own = into.under("Once");
    config::option file = with_letter(
        config::list_option("file", "a file or a directory with ServiceOffers, - for standard input", files),
        'f'
    );
    file.placeholder = "FILE";
    own.add(std::move(file));
    own.add(all_namespaces_option(everything, "all offers of the cluster"));
    own.add(offer_namespace_option(ns, "where the offers are that name none; alone: all of that namespace"));
    own.add(selector_option(selector, "label selector of the offers to look at"));
    own.add(output_option(output, {"text", "yaml", "json"}));
    own.add({"local", "looks at files alone, and at no cluster", "false", config::set_bool(local), true});
    own.add(
        {"no-dry-run",
         "works out changes by itself, and asks the API server for no dry run",
         "false",
         config::set_bool(no_dry_run),
         true}
    );
    own.add(
        {"verbose",
         "also shows what stays as it is, and new objects in full",
         "false",
         config::set_bool(all),
         true,
         'v'}
    );
    own.add(
        {"compare",
         "compares the prices of the predecessor's routes with what Portitor would charge: NAMESPACE/NAME of "
         "its ConfigMap, such as x402/x402-pricing, or a file (with . in its name)",
         "",
         config::set_text(compare)}
    );
    // What the controller is started with decides which offers it acts on.
    into.layered([&] { into.add(config::deletion_deadline_option(deletion_deadline)); });
    into.positional(
        "[NAMESPACE/]NAME", "the offers to look at; without a namespace, in that of the context", offers
    );
}

result<void> options::resolve()
{
    auto resolved = settings.resolve();
    if (!resolved)
        return resolved;
    const auto wrong = std::find_if_not(offers.begin(), offers.end(), names_an_offer);
    if (wrong != offers.end())
        return fail(errc::invalid, "\"{}\": name an offer as [NAMESPACE/]NAME", *wrong);
    if (everything && !ns.empty())
        return fail(errc::invalid, "-A is for all namespaces: leave it out, or -n");
    if (offers.empty() && files.empty() && !everything && ns.empty() && selector.empty() && compare.empty())
        return fail(
            errc::invalid,
            "nothing to look at: name offers ([NAMESPACE/]NAME), give -f FILE, -n NAMESPACE for all of one, "
            "or -A for all of the cluster"
        );
    if (local && files.empty())
        return fail(errc::invalid, "--local looks at files: give -f FILE");
    if (std::count(files.begin(), files.end(), "-") + (compare == "-" ? 1 : 0) > 1)
        return fail(errc::invalid, "standard input can be read only once: give one - alone");
    return {};
}

}  // namespace portitor::cli::once
