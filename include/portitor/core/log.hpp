#pragma once

#include <fmt/format.h>

#include <cmath>
#include <initializer_list>
#include <string>
#include <string_view>
#include <type_traits>

namespace portitor {

enum class log_level
{
    debug,
    info,
    warn,
    error,
};

enum class log_format
{
    json,  ///< one object per line
    text,  ///< key=value
};

/// One named value of a log line. Never a secret, a payment header or a body.
struct log_field
{
    template <typename T>
    log_field(std::string_view name, const T& content) : key(name)
    {
        if constexpr (std::is_same_v<T, bool>)
            value = content ? "true" : "false";
        else
            value = fmt::format("{}", content);
        if constexpr (std::is_floating_point_v<T>)
            quoted = !std::isfinite(content);  // JSON has no NaN
        else
            quoted = !std::is_arithmetic_v<T> || std::is_same_v<T, char>;
    }

    std::string_view key;
    std::string value;
    bool quoted = true;
};

/// Writes structured lines to stderr, each in one write. Cheap to copy: a child made with with() carries its
/// fields on every line. Thread-safe.
class logger
{
public:
    logger() = default;
    logger(log_level level, log_format format) : level_(level), format_(format) {}

    /// The same log with more fields on every line, such as the role or an object's key.
    logger with(std::initializer_list<log_field> fields) const;

    void debug(std::string_view message, std::initializer_list<log_field> fields = {}) const
    {
        write(log_level::debug, message, fields);
    }
    void info(std::string_view message, std::initializer_list<log_field> fields = {}) const
    {
        write(log_level::info, message, fields);
    }
    void warn(std::string_view message, std::initializer_list<log_field> fields = {}) const
    {
        write(log_level::warn, message, fields);
    }
    void error(std::string_view message, std::initializer_list<log_field> fields = {}) const
    {
        write(log_level::error, message, fields);
    }

private:
    void write(log_level level, std::string_view message, std::initializer_list<log_field> fields) const;
    void append(std::string& line, const log_field& field) const;

    log_level level_ = log_level::info;
    log_format format_ = log_format::text;
    std::string inherited_;  // fields of with(), already rendered
};

}  // namespace portitor
