namespace StorageActors.FaultTests.Seccomp;

/// <summary>The program that the kernel runs for each call: those of the table wait for an answer, others pass.</summary>
internal static class Filter
{
    private const ushort Load = 0x20;            // BPF_LD | BPF_W | BPF_ABS
    private const ushort JumpIfEqual = 0x15;     // BPF_JMP | BPF_JEQ | BPF_K
    private const ushort JumpIfGreater = 0x25;   // BPF_JMP | BPF_JGT | BPF_K
    private const ushort Return = 0x06;          // BPF_RET | BPF_K
    private const uint Notify = 0x7FC00000;
    private const uint Allow = 0x7FFF0000;
    private const uint ArchitectureX64 = 0xC000003E;
    private const uint NumberOffset = 0;
    private const uint ArchitectureOffset = 4;
    private const uint ArgumentsOffset = 16;
    private const int Read = 0;
    private const int Write = 1;
    private const int Fcntl = 72;

    // F_GETLK, F_SETLK, F_SETLKW and the same of open file descriptions; the other commands are the runtime's own business.
    private static readonly uint[] LockCommands = [5, 6, 7, 36, 37, 38];

    internal static FilterInstruction[] Build()
    {
        var program = new List<FilterInstruction>
        {
            new(Load, 0, 0, ArchitectureOffset),
            new(JumpIfEqual, 1, 0, ArchitectureX64),
            new(Return, 0, 0, Allow),
            new(Load, 0, 0, NumberOffset),
        };
        foreach (var call in SystemCall.All)
        {
            var rule = RuleOf(call.Number);
            program.Add(new FilterInstruction(JumpIfEqual, 0, (byte)rule.Length, (uint)call.Number));
            program.AddRange(rule);
        }

        program.Add(new FilterInstruction(Return, 0, 0, Allow));
        return [.. program];
    }

    private static FilterInstruction[] RuleOf(int number) => number switch
    {
        // The standard streams are how the process talks with the one who answers.
        Read or Write =>
        [
            new(Load, 0, 0, ArgumentsOffset), new(JumpIfGreater, 0, 1, 2), new(Return, 0, 0, Notify), new(Return, 0, 0, Allow),
        ],
        Fcntl =>
        [
            new(Load, 0, 0, ArgumentsOffset + 8),
            .. LockCommands.Select((command, index) => new FilterInstruction(JumpIfEqual, (byte)(LockCommands.Length - index), 0, command)),
            new(Return, 0, 0, Allow), new(Return, 0, 0, Notify),
        ],
        _ => [new(Return, 0, 0, Notify)],
    };
}
