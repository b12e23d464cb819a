// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// The one function of Multicall3 that the facilitator library calls to learn why a simulated transfer
/// failed. Every public EVM chain has Multicall3; anvil starts without it, and then each refusal would read
/// "simulation failed".
contract TestMulticall3 {
    struct Call {
        address target;
        bytes callData;
    }

    struct Result {
        bool success;
        bytes returnData;
    }

    function tryAggregate(bool requireSuccess, Call[] calldata calls)
        external
        payable
        returns (Result[] memory returnData)
    {
        returnData = new Result[](calls.length);
        for (uint256 i = 0; i < calls.length; i++) {
            (bool success, bytes memory data) = calls[i].target.call(calls[i].callData);
            require(success || !requireSuccess, "Multicall3: call failed");
            returnData[i] = Result(success, data);
        }
    }
}
