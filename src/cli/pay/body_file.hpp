#pragma once

#include <portitor/core/error.hpp>

#include <string>
#include <string_view>

namespace portitor::cli::pay {

/// Where an answer's body goes. It is written beside its place and then renamed, so that what is there stays
/// whole until the body is; in place where that cannot be done, as with a device.
class body_file
{
public:
    /// Finds out whether it will be possible, as far as that can be known before. errc::refused otherwise.
    /// Blocks.
    static result<body_file> open(const std::string& path);

    body_file(body_file&& from) noexcept;
    body_file& operator=(body_file&&) = delete;
    /// Nothing stays behind of a body that was not written.
    ~body_file();

    /// Writes all of it and closes. errc::refused. @pre not called before
    result<void> write(std::string_view body);

private:
    body_file(std::string path, int file) : path_(std::move(path)), file_(file) {}

    result<void> write_all(std::string_view body);

    std::string path_;
    std::string beside_{};  ///< empty: written in place
    int file_;
};

}  // namespace portitor::cli::pay
