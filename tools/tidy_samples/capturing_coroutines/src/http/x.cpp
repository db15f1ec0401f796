auto f = [state](int) -> runtime::Task<void> { co_return; };
