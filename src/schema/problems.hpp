#pragma once

#include <portitor/schema/problem.hpp>

#include <boost/json/value.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace portitor::schema {

/// Where one is in an object, as Kubernetes writes it.
class field_path
{
public:
    const std::string& text() const { return text_; }

    /// One level deeper, until the end of its life.
    class step
    {
    public:
        step(field_path& path, std::string_view member);
        step(field_path& path, std::size_t index);
        ~step() { path_.text_.resize(before_); }
        step(const step&) = delete;
        step& operator=(const step&) = delete;

    private:
        field_path& path_;
        std::size_t before_;
    };

private:
    std::string text_;
};

/// The problems that have been found, as many as anybody would read.
class problem_list
{
public:
    void add(fault what, const std::string& field, std::string message, std::string value = {});

    std::size_t size() const { return found_.size(); }

    bool full() const { return size() >= most; }

    /// How many of those that keep rules about the same values from being asked.
    std::size_t blocking() const { return blocking_; }

    std::vector<problem> take() && { return std::move(found_); }

private:
    static constexpr std::size_t most = 50;

    std::vector<problem> found_;
    std::size_t blocking_ = 0;
};

}  // namespace portitor::schema
