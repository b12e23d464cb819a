#include "cli/sell/api_words.hpp"

#include "cli/cluster/refusal.hpp"
#include "cli/output/masked.hpp"
#include "cli/output/text.hpp"

#include <algorithm>

namespace portitor::cli::sell {

namespace {

// conflict with "kubectl" using obol.org/v1alpha1
std::string manager_of(const kube::status_cause& cause)
{
    const std::size_t begin = cause.message.find('"');
    const std::size_t end = begin == cause.message.npos ? begin : cause.message.find('"', begin + 1);
    return end == cause.message.npos ? std::string() : cause.message.substr(begin + 1, end - begin - 1);
}

std::string plural_of(const kube::resource& kind)
{
    return kind.group.empty() ? std::string(kind.plural) : fmt::format("{}.{}", kind.plural, kind.group);
}

error forbidden(
    const kube::api_error& why, std::string_view verb, const kube::resource& kind, const kube::object_key& of
)
{
    // Admission refuses with the same status, in words of its own.
    if (!is_missing_right(why))
        return fail(errc::refused, "the API server refuses it: {}", printable(why.message()));
    const std::string where = of.ns.empty() ? " in all namespaces" : " in namespace " + of.ns;
    return fail(
        errc::refused,
        "you have no right to {0} {1}{2}; ask whoever runs the cluster for it (kubectl auth can-i {0} {1}{3} "
        "says whether you have it)",
        verb,
        plural_of(kind),
        where,
        of.ns.empty() ? " -A" : " -n " + of.ns
    );
}

error not_found(const kube::api_error& why, const kube::resource& kind, const kube::object_key& of)
{
    if (why.message().find("namespaces \"") != std::string::npos)
        return fail(
            errc::not_found,
            "there is no namespace {0}; write another with -n, or make it: kubectl create namespace {0}",
            of.ns
        );
    if (why.message().find("could not find the requested resource") != std::string::npos)
        return fail(
            errc::not_found,
            "the cluster does not know {}s ({}): install Portitor's custom resources first",
            kind.kind,
            kind.api_version()
        );
    return fail(
        errc::not_found,
        "there is no {} {}; portitor sell list -A shows those that are there",
        kind.kind,
        of.to_string()
    );
}

error conflict(const kube::api_error& why)
{
    std::string fields;
    for (const kube::status_cause& each : why.causes())
        fields += fmt::format(
            "\n  {} is owned by \"{}\"", printable(each.field, 200), printable(manager_of(each), 200)
        );
    return fail(
        errc::conflict,
        "somebody else has set fields of it to other values:{}\nChange them there, or take them with "
        "--force-conflicts",
        fields
    );
}

}  // namespace

bool is_field_conflict(const kube::api_error& why)
{
    return why.http_status() == 409 &&
           std::any_of(why.causes().begin(), why.causes().end(), [](const kube::status_cause& each) {
               return each.reason == "FieldManagerConflict";
           });
}

bool is_only_our_conflict(const kube::api_error& why)
{
    return is_field_conflict(why) &&
           std::all_of(why.causes().begin(), why.causes().end(), [](const kube::status_cause& each) {
               const std::string manager = manager_of(each);
               return manager == "portitor" || manager == "portitor-sell";
           });
}

error in_words(
    const kube::api_error& why, std::string_view verb, const kube::resource& kind, const kube::object_key& of
)
{
    if (is_field_conflict(why))
        return conflict(why);
    switch (why.http_status())
    {
    case 403:
        return forbidden(why, verb, kind, of);
    case 404:
        return not_found(why, kind, of);
    default:
        return {
            why.http_status() == 422 ? errc::invalid : why.code(),
            printable(masked_urls(refusal_in_words(why)))};
    }
}

}  // namespace portitor::cli::sell
