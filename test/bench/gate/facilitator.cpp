// A facilitator that agrees to everything at once. GET /stats tells what it was asked for, in JSON.
//
//   gate_facilitator PORT

#include "epoll_server.hpp"
#include "http_text.hpp"

#include <cstdio>
#include <stdexcept>

namespace {

constexpr std::string_view transaction = "0x89c91c789e57059b17285e7ba1716a1f5ff4c5dace0ea5a5135f26158d0421b9";

struct counts
{
    unsigned long connections = 0, verified = 0, settled = 0, others = 0;
};

class facilitator
{
public:
    explicit facilitator(counts& numbers) : numbers_(numbers) {}

    std::size_t operator()(std::string_view input, std::string& output)
    {
        const std::size_t head_size = bench::end_of_head(input);
        if (head_size == input.npos)
            return 0;
        const std::string_view head = input.substr(0, head_size);
        const std::size_t size = head_size + bench::content_length(head).value_or(0);
        if (input.size() < size)
            return 0;
        answer(head, input.substr(head_size, size - head_size));
        output += "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ";
        output += std::to_string(body_.size());
        output.append("\r\n\r\n").append(body_);
        return size;
    }

private:
    void answer(std::string_view head, std::string_view asked)
    {
        if (head.starts_with("POST /verify "))
        {
            ++numbers_.verified;
            body_.assign(R"({"isValid":true,"payer":")").append(member(asked, R"("from":")")).append("\"}");
        }
        else if (head.starts_with("POST /settle "))
        {
            ++numbers_.settled;
            body_.assign(R"({"success":true,"transaction":")").append(transaction);
            body_.append(R"(","network":")").append(member(asked, R"("network":")"));
            body_.append(R"(","payer":")").append(member(asked, R"("from":")")).append("\"}");
        }
        else
        {
            numbers_.others += head.starts_with("GET /stats ") ? 0 : 1;
            body_ = "{\"connections\":" + std::to_string(numbers_.connections) +
                    ",\"verified\":" + std::to_string(numbers_.verified) +
                    ",\"settled\":" + std::to_string(numbers_.settled) +
                    ",\"others\":" + std::to_string(numbers_.others) + "}";
        }
    }

    // The first text member of that name, at any depth.
    static std::string_view member(std::string_view json, std::string_view name)
    {
        const auto at = json.find(name);
        if (at == json.npos)
            return {};
        json.remove_prefix(at + name.size());
        return json.substr(0, json.find('"'));
    }

    counts& numbers_;
    std::string body_;
};

}  // namespace

int main(int count, char** arguments)
try
{
    if (count != 2)
        throw std::runtime_error("usage: gate_facilitator PORT");
    counts numbers;
    bench::epoll_server server{facilitator(numbers)};
    server.run(static_cast<std::uint16_t>(std::stoul(arguments[1])), [&] { ++numbers.connections; });
}
catch (const std::exception& failure)
{
    std::fprintf(stderr, "gate_facilitator: %s\n", failure.what());
    return 1;
}
