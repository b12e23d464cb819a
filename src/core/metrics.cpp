#include <portitor/core/metrics.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace portitor {

namespace {

std::string escape(std::string_view value)
{
    std::string out;
    for (const char c : value)
    {
        if (c == '\\' || c == '"')
            out += '\\';
        if (c == '\n')
            out += "\\n";
        else
            out += c;
    }
    return out;
}

std::string render(const metric_labels& labels)
{
    std::string out;
    for (const auto& [name, value] : labels)
        out += fmt::format("{}{}=\"{}\"", out.empty() ? "" : ",", name, escape(value));
    return out;
}

std::string braced(const std::string& labels)
{
    return labels.empty() ? std::string() : "{" + labels + "}";
}

std::string with_bound(const std::string& labels, const std::string& bound)
{
    return fmt::format("{{{}{}le=\"{}\"}}", labels, labels.empty() ? "" : ",", bound);
}

void expose_histogram(
    std::string& out, const std::string& name, const std::string& labels, const histogram& values
)
{
    std::uint64_t total = 0;
    for (std::size_t i = 0; i < histogram::bounds().size(); ++i)
    {
        total += values.bucket(i);
        out += fmt::format(
            "{}_bucket{} {}\n", name, with_bound(labels, fmt::format("{}", histogram::bounds()[i])), total
        );
    }
    total += values.bucket(histogram::bounds().size());
    out += fmt::format("{}_bucket{} {}\n", name, with_bound(labels, "+Inf"), total);
    out += fmt::format(
        "{}_sum{} {}\n{}_count{} {}\n", name, braced(labels), values.sum(), name, braced(labels), total
    );
}

}  // namespace

const std::vector<double>& histogram::bounds()
{
    static const std::vector<double> bounds{
        0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30};
    return bounds;
}

void histogram::observe(double seconds) noexcept
{
    const auto& limits = bounds();
    const auto index =
        static_cast<std::size_t>(std::lower_bound(limits.begin(), limits.end(), seconds) - limits.begin());
    buckets_[index].fetch_add(1, std::memory_order_relaxed);
    micros_.fetch_add(static_cast<std::uint64_t>(std::max(seconds, 0.0) * 1e6), std::memory_order_relaxed);
}

metrics::series& metrics::find(
    std::string_view name, std::string_view help, std::string_view type, const metric_labels& labels
)
{
    auto at = families_.find(name);
    if (at == families_.end())
        at = families_.emplace(std::string(name), family{std::string(help), type, {}}).first;
    return at->second.by_labels[render(labels)];
}

counter& metrics::counter(std::string_view name, std::string_view help, metric_labels labels)
{
    const std::lock_guard lock(mutex_);
    auto& cell = find(name, help, "counter", labels).count;
    if (!cell)
        cell = std::make_unique<portitor::counter>();
    return *cell;
}

std::shared_ptr<counter>
metrics::shared_counter(std::string_view name, std::string_view help, const metric_labels& labels)
{
    const std::lock_guard lock(mutex_);
    auto& cell = find(name, help, "counter", labels).shared_count;
    auto held = cell.lock();
    if (!held)
        cell = held = std::make_shared<portitor::counter>();
    return held;
}

gauge& metrics::gauge(std::string_view name, std::string_view help, metric_labels labels)
{
    const std::lock_guard lock(mutex_);
    auto& cell = find(name, help, "gauge", labels).level;
    if (!cell)
        cell = std::make_unique<portitor::gauge>();
    return *cell;
}

histogram& metrics::histogram(std::string_view name, std::string_view help, metric_labels labels)
{
    const std::lock_guard lock(mutex_);
    auto& cell = find(name, help, "histogram", labels).durations;
    if (!cell)
        cell = std::make_unique<portitor::histogram>();
    return *cell;
}

metrics::collector metrics::collect(std::function<void()> measure)
{
    const std::lock_guard lock(mutex_);
    collectors_.emplace(++last_collector_, std::move(measure));
    return {*this, last_collector_};
}

metrics::collector::~collector()
{
    if (!owner_)
        return;
    const std::lock_guard lock(owner_->mutex_);
    owner_->collectors_.erase(id_);
}

std::string metrics::expose() const
{
    std::vector<std::function<void()>> measures;
    {
        const std::lock_guard lock(mutex_);
        for (const auto& [id, measure] : collectors_)
            measures.push_back(measure);
    }
    for (const auto& measure : measures)
        measure();
    const std::lock_guard lock(mutex_);
    std::string out;
    for (auto& [name, members] : families_)
    {
        std::erase_if(members.by_labels, [](const auto& each) {
            const series& cells = each.second;
            return !cells.count && !cells.level && !cells.durations && cells.shared_count.expired();
        });
        out += fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, members.help, name, members.type);
        for (const auto& [labels, cells] : members.by_labels)
        {
            if (cells.count)
                out += fmt::format("{}{} {}\n", name, braced(labels), cells.count->value());
            if (const auto held = cells.shared_count.lock())
                out += fmt::format("{}{} {}\n", name, braced(labels), held->value());
            if (cells.level)
                out += fmt::format("{}{} {}\n", name, braced(labels), cells.level->value());
            if (cells.durations)
                expose_histogram(out, name, labels, *cells.durations);
        }
    }
    return out;
}

}  // namespace portitor
