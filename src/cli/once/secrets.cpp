#include "cli/once/secrets.hpp"

#include "cli/output/masked.hpp"

namespace portitor::cli::once {

namespace {

void mask(std::string& text)
{
    text = masked_urls(text);
}

void mask(std::vector<std::string>& all)
{
    for (std::string& each : all)
        mask(each);
}

void mask(terms_report& of)
{
    for (std::string* each : {&of.facilitator, &of.facilitator_url, &of.endpoint, &of.upstream})
        mask(*each);
}

void mask(offer_report& of)
{
    mask(of.problems);
    mask(of.passed_over);
    mask(of.next);
    if (of.terms)
        mask(*of.terms);
    if (of.blocked)
        mask(of.blocked->message);
    for (child_report& each : of.children)
        mask(each.refused);
    for (condition_report& each : of.conditions)
        mask(each.wanted.message);
    for (offer::note& each : of.events)
        mask(each.message);
}

void mask(charge& of)
{
    mask(of.facilitator);
    mask(of.wrong);
}

}  // namespace

void mask_secrets(report& of)
{
    mask(of.cluster);
    mask(of.settings);
    mask(of.unseen);
    mask(of.errors);
    for (offer_report& each : of.offers)
        mask(each);
}

void mask_secrets(std::vector<compared_route>& of)
{
    for (compared_route& each : of)
    {
        if (each.there)
            mask(*each.there);
        if (each.here)
            mask(*each.here);
        mask(each.differences);
        mask(each.remarks);
    }
}

}  // namespace portitor::cli::once
