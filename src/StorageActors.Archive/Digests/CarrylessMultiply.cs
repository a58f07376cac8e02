using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using ArmAes = System.Runtime.Intrinsics.Arm.Aes;

namespace StorageActors.Archive.Digests;

/// <summary>Multiplication of polynomials over GF(2) by the processor.</summary>
internal static class CarrylessMultiply
{
    internal static bool IsSupported => BitConverter.IsLittleEndian && (Pclmulqdq.IsSupported || ArmAes.IsSupported);

    /// <summary>Low half times low constant plus high half times high constant.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector128<ulong> Fold(Vector128<ulong> remainder, Vector128<ulong> constants) =>
        Pclmulqdq.IsSupported
            ? Pclmulqdq.CarrylessMultiply(remainder, constants, 0x00) ^ Pclmulqdq.CarrylessMultiply(remainder, constants, 0x11)
            : ArmAes.PolynomialMultiplyWideningLower(remainder.GetLower(), constants.GetLower())
                ^ ArmAes.PolynomialMultiplyWideningUpper(remainder, constants);
}
