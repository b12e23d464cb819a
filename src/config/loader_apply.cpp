#include "config/document.hpp"

#include <portitor/config/help.hpp>
#include <portitor/config/loader.hpp>

#include <algorithm>

// What of the loader hands over what it has found.

namespace portitor::config {

result<void> loader::demand_required() const
{
    for (std::size_t i = 0; i < options_.size(); ++i)
    {
        const known_option& each = options_[i];
        if (each.what.is_required && !each.hidden && !values_[i])
            return fail(
                errc::invalid,
                "--{} {} is missing: {}",
                each.what.name,
                placeholder_of(each.what),
                each.what.help
            );
    }
    return {};
}

result<void> loader::apply_words(const std::vector<std::string>& all) const
{
    for (const word& each : words_)
    {
        if (each.reset)
            each.reset();
    }
    std::size_t at = 0;
    for (const word& each : words_)
    {
        if (each.is_required && at == all.size())
            return fail(errc::invalid, "{} is missing: {}", each.name, each.help);
        const std::size_t end = each.is_variable ? all.size() : std::min(at + 1, all.size());
        for (; at < end; ++at)
        {
            auto taken = each.apply(all[at]);
            if (!taken)
                return taken.error().within(each.name);
        }
    }
    if (at < all.size())
    {
        // A long one may be a key that went astray.
        constexpr std::size_t longest_quoted = 50;
        return fail(
            errc::invalid,
            "{}: {}",
            all[at].size() > longest_quoted ? std::string("a long word") : "\"" + all[at] + "\"",
            words_.empty() ? "no words are taken" : "one word too many"
        );
    }
    return {};
}

result<void> loader::apply()
{
    for (const known_section& each : sections_)
    {
        auto applied = apply_section(each);
        if (!applied)
            return applied;
    }
    for (std::size_t i = 0; i < options_.size(); ++i)
    {
        const known_option& each = options_[i];
        for (const auto& reset : each.resets)
            reset();
        given value{{}, "--" + each.what.name};
        if (values_[i])
            value = *values_[i];
        else if (!each.what.is_list)
            value.texts = {each.what.fallback};
        for (const auto& set : each.setters)
        {
            for (const std::string& text : value.texts)
            {
                auto taken = set(text);
                if (!taken)
                    return taken.error().within(value.where);
            }
        }
    }
    return {};
}

result<void> loader::apply_section(const known_section& what) const
{
    for (const section& each : what.readers)
    {
        if (each.reset)
            each.reset();
        if (!what.node)
            continue;
        try
        {
            auto read = each.apply(*what.node);
            if (!read)
                return read.error().within(what.where);
        }
        catch (const YAML::Exception& wrong)
        {
            return fail(
                errc::invalid, "{}:{}: {}: {}", what.document, wrong.mark.line + 1, what.name, wrong.msg
            );
        }
    }
    return {};
}

void loader::apply_fallbacks()
{
    values_.assign(options_.size(), {});
    apply().value();
}

}  // namespace portitor::config
