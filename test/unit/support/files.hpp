#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <system_error>

namespace portitor::test {

/// A new folder that goes with everything in it.
class temp_folder
{
public:
    temp_folder()
    {
        std::string pattern = (std::filesystem::temp_directory_path() / "portitor-test-XXXXXX").string();
        if (!mkdtemp(pattern.data()))
            throw std::runtime_error("no temporary folder");
        path_ = pattern;
    }
    ~temp_folder()
    {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    temp_folder(const temp_folder&) = delete;
    temp_folder& operator=(const temp_folder&) = delete;

    std::string path(const std::string& name) const { return (path_ / name).string(); }

    /// Writes a file and returns its path.
    std::string write(const std::string& name, const std::string& text) const
    {
        std::filesystem::create_directories((path_ / name).parent_path());
        std::ofstream(path_ / name, std::ios::binary) << text;
        return path(name);
    }

private:
    std::filesystem::path path_;
};

/// An environment variable that is unset again at the end.
class environment_variable
{
public:
    environment_variable(std::string name, const std::string& value) : name_(std::move(name))
    {
        setenv(name_.c_str(), value.c_str(), 1);
    }
    ~environment_variable() { unsetenv(name_.c_str()); }
    environment_variable(const environment_variable&) = delete;
    environment_variable& operator=(const environment_variable&) = delete;

private:
    std::string name_;
};

}  // namespace portitor::test
