#include <portitor/core/exception_text.hpp>

namespace portitor {

std::string describe(const std::exception_ptr& thrown)
{
    try
    {
        std::rethrow_exception(thrown);
    }
    catch (const std::exception& known)
    {
        return known.what();
    }
    catch (...)
    {
        return "an exception of an unknown type";
    }
}

}  // namespace portitor
