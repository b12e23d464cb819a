#include "roles/controller/gate_key_file.hpp"

namespace portitor::controller {

result<bool> gate_key_file::refresh(timekeeper::time_point now)
{
    if (!configured())
        return false;
    auto read = api::gate_key::read(path_);
    if (!read)
        return read.error();
    if (current_ == *read)
    {
        next_.reset();
        return false;
    }
    if (current_ && next_ != *read)
    {
        next_ = std::move(*read);
        next_from_ = now + settling;
        return false;
    }
    if (current_ && now < next_from_)
        return false;
    current_ = std::move(*read);
    next_.reset();
    return true;
}

}  // namespace portitor::controller
